/*
 * The trace's file, in Chrome's trace event format (an object with traceEvents; times in microseconds),
 * written by a thread that empties the ring. A machine after a reset goes on in the same file, as another
 * process there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "inspect.h"
#include "json.h"
#include "trace.h"

#define PAUSE_US   20000    /* between two looks at the ring: the vCPUs need to wake nobody */
#define VCPU_TRACK 1u       /* + its number: the track of a vCPU (0 is no thread for some readers) */
#define CPU_TRACK  1000000u /* + its number: the track of a CPU of the guest's, or the console's */

static pthread_t thread;
static bool running, stop; /* the thread is there; it should end */

/* All that follows is the thread's while it runs; before and after, of who starts and ends it. */
static FILE *file;              /* open from the first start to the end that no reset follows */
static unsigned machine, guest; /* the processes of the file: 1 and 2, after a reset 3 and 4, ... */
static uint64_t written;        /* events */
static struct totals {
    uint64_t exits, refused, skipped; /* exits; of them not wanted, or passed over by --trace-every */
    uint64_t dropped, over_limit, lost_by_guest;
} totals; /* of all machines that wrote to the file */
static struct symbols symbols;

/* Names that were found, or told, before: direct-mapped caches. */
static struct known {
    uint64_t key;
    char name[64];
} places[1024], tasks[256];

static const char *place_name(uint64_t rip)
{
    struct known *p = &places[rip % COUNT(places)];
    uint64_t offset;

    if (p->key != rip) {
        const char *symbol = symbols_find(&symbols, rip, &offset);
        p->key = rip;
        snprintf(p->name, sizeof p->name, symbol ? "%.40s+0x%lx" : "%.0s0x%lx", symbol ?: "",
                 symbol ? offset : rip);
    }
    return p->name;
}

static void put_text(const char *key, const char *text)
{
    fputs(key, file);
    json_put(file, text, strlen(text));
}

/* Begin an event, up to and with its name. */
static void put_head(char phase, unsigned process, uint32_t track, const char *category, const char *name)
{
    fprintf(file, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"cat\":\"%s\"", written++ ? ",\n" : "", phase,
            process, track, category);
    put_text(",\"name\":", name);
}

static void put_times(const struct trace_event *e)
{
    fprintf(file, ",\"ts\":%.3f,\"dur\":%.3f,\"args\":{", (double)e->begin / 1e3,
            (double)(e->end - e->begin) / 1e3);
}

/* The name of a process (`what` is "process_name") or of a track. */
static void put_name(const char *what, unsigned process, uint32_t track, const char *name)
{
    put_head('M', process, track, "__metadata", what);
    put_text(",\"args\":{\"name\":", name);
    fputs("}}", file);
}

static void put_exit(const struct trace_event *e)
{
    static const char *const verbs[] = {"read", "write", "in", "out"};
    const char *reason = trace_reason(e->reason), *device = trace_device(e);
    char name[64];

    snprintf(name, sizeof name, device ? "%s %.40s" : "%s",
             device ? verbs[2 * (e->reason == KVM_EXIT_IO) + e->is_write] : reason, device);
    put_head('X', machine, VCPU_TRACK + e->vcpu, "exit", name);
    put_times(e);
    fprintf(file, "\"reason\":\"%s\"", reason);
    if (device)
        fprintf(file, ",\"device\":\"%s\",\"addr\":\"0x%lx\",\"size\":%u,\"count\":%u,\"value\":\"0x%lx\"",
                device, e->addr, e->size, e->count, e->value);
    if (e->guest_ns != UNKNOWN_NS)
        fprintf(file, ",\"guest_us\":%.3f", (double)e->guest_ns / 1e3);
    if (e->rip)
        put_text(",\"at\":", place_name(e->rip));
    fputs("}}", file);
}

static void put_console(const struct trace_event *e)
{
    put_head('i', machine, CPU_TRACK, "console", "console");
    put_times(e);
    if (e->vcpu < MAX_VCPUS)
        fprintf(file, "\"vcpu\":%u,", e->vcpu);
    fputs("\"text\":", file);
    json_put(file, e->text, e->size);
    fputs("}}", file);
}

/* Guests tell a name again and again; it is written once. */
static void name_task(const struct trace_event *e)
{
    struct known *k = &tasks[e->task % COUNT(tasks)];
    uint64_t key = (uint64_t)guest << 32 | e->task;

    if (k->key == key && memcmp(k->name, e->text, sizeof e->text) == 0)
        return;
    k->key = key;
    memcpy(k->name, e->text, sizeof e->text);
    put_name("thread_name", guest, e->task, e->text);
}

static void put_told(const struct trace_event *e)
{
    bool on_cpu = e->kind == TRACE_SWITCH || e->kind == TRACE_INTERRUPT || !e->task;

    put_head('X', guest, on_cpu ? CPU_TRACK + e->vcpu : e->task, trace_kind_names[e->kind], e->text);
    put_times(e);
    fprintf(file, "\"task\":%u,\"addr\":\"0x%lx\",\"value\":%ld}}", e->task, e->addr, (int64_t)e->value);
}

static void empty_ring(void)
{
    struct trace_event e;

    while (trace_take(&e))
        if (written >= trace.max)
            totals.over_limit++;
        else if (e.kind == TRACE_EXIT)
            put_exit(&e);
        else if (e.kind == TRACE_CONSOLE)
            put_console(&e);
        else if (e.kind == TRACE_NAME)
            name_task(&e);
        else
            put_told(&e);
}

static void *writer(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        empty_ring();
        usleep(PAUSE_US);
    }
    return unused;
}

static void put_track_names(void)
{
    char name[32];

    put_name("process_name", machine, 0, "machine");
    put_name("process_name", guest, 0, "guest");
    put_name("thread_name", machine, CPU_TRACK, "console");
    for (uint32_t i = 0; i < trace.vm->cpus; i++) {
        snprintf(name, sizeof name, "vCPU %u", i);
        put_name("thread_name", machine, VCPU_TRACK + i, name);
        snprintf(name, sizeof name, "guest's CPU %u", i);
        put_name("thread_name", guest, CPU_TRACK + i, name);
    }
}

static int open_file(void)
{
    int fd = host_create("--trace", trace.path, O_TRUNC);

    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return -EIO;
    setvbuf(file, NULL, _IOFBF, MiB); /* few large writes: the vCPUs need the host, too */
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
    totals = (struct totals){0};
    written = guest = 0;
    return 0;
}

int trace_file_start(void)
{
    int err = file ? 0 : open_file();

    if (err < 0)
        return err;
    machine = guest + 1;
    guest = machine + 1;
    symbols_load(&symbols, trace.vm->kernel_fd);
    memset(places, 0, sizeof places); /* after a reset it may be another kernel */
    put_track_names();
    stop = false;
    err = pthread_create(&thread, NULL, writer, NULL);
    running = err == 0;
    return err ? complain(-EAGAIN, "--trace: cannot start a thread: %s", strerror(err)) : 0;
}

/* Add what this machine's vCPUs counted. */
static void add_totals(void)
{
    for (const struct trace_vcpu *t = trace.vcpus; t < trace.vcpus + trace.vm->cpus; t++) {
        totals.exits += t->seen;
        totals.refused += t->seen - t->wanted;
        totals.skipped += t->wanted - (t->wanted + trace.every - 1) / trace.every;
        totals.lost_by_guest += t->lost;
    }
    totals.dropped += trace_dropped();
}

/* The end of the file: what the events do not show. Readers of Chrome's format pass over it. */
static void put_totals(void)
{
    fprintf(file,
            "\n],\"otherData\":{\"format\":\"terrarium trace 1\",\"every\":%lu,\"exits\":%lu,\"refused\":%lu,"
            "\"skipped\":%lu,\"dropped\":%lu,\"over_limit\":%lu,\"lost_by_guest\":%lu}}\n",
            trace.every, totals.exits, totals.refused, totals.skipped, totals.dropped, totals.over_limit,
            totals.lost_by_guest);
    if (totals.dropped || totals.over_limit || totals.lost_by_guest)
        complain(0,
                 "--trace %s: %lu events are missing, because the guest was faster than the file, %lu above "
                 "--trace-limit, and %lu that the guest overwrote itself",
                 trace.path, totals.dropped, totals.over_limit, totals.lost_by_guest);
}

void trace_file_end(bool reset)
{
    if (!file)
        return;
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    if (running)
        pthread_join(thread, NULL);
    running = false;
    empty_ring();
    symbols_free(&symbols);
    add_totals();
    if (reset)
        return;
    put_totals();
    if (ferror(file) | fclose(file))
        complain(0, "--trace %s: cannot write all of it: %s", trace.path, strerror(errno));
    file = NULL;
}
