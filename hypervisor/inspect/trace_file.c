/*
 * The trace's file, in Chrome's trace event format (an object with traceEvents; times in microseconds),
 * written by a thread that takes from the rings. A machine after a reset goes on in the same file, as another
 * process there.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include "inspect.h"
#include "json.h"
#include "trace.h"

#define PAUSE_US  20000 /* between two looks at the rings: the vCPUs need to wake nobody */
#define PLACES    1024
#define TASKS     256
#define CPU_TRACK 1000000u /* + its number: the track of a CPU of the guest's */

static FILE *file;
static pthread_t thread;
static bool stop;
static struct trace *trace;
static uint64_t written, over_limit; /* events in the file; those that the limit kept out */
static unsigned life;                /* machines that wrote to the file */
static long file_end;                /* where the next machine's events go */
static struct symbols symbols;

/* Names are looked for once: a direct-mapped cache. */
static struct place {
    uint64_t rip;
    char name[64];
} places[PLACES];
static struct task {
    uint32_t task;
    char name[24];
} tasks[TASKS];

static const char *place_name(uint64_t rip)
{
    struct place *p = &places[rip % PLACES];
    uint64_t offset;

    if (p->rip != rip) {
        const char *symbol = symbols_find(&symbols, rip, &offset);
        p->rip = rip;
        snprintf(p->name, sizeof p->name, symbol ? "%.40s+0x%lx" : "%.0s0x%lx", symbol ?: "",
                 symbol ? offset : rip);
    }
    return p->name;
}

static void put_us(const char *key, uint64_t ns)
{
    fprintf(file, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

/* Begin an event: {"ph":..., and all that every event has. */
static void put_head(const char *phase, unsigned process, uint32_t track, const char *kind)
{
    fprintf(file, "%s{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u,\"cat\":\"%s\"", written ? ",\n" : "", phase,
            process, track, kind);
    written++;
}

static unsigned machine(void)
{
    return 2 * life - 1;
}

static unsigned guest(void)
{
    return 2 * life;
}

/* The name of a process (`what` is "process_name") or of a track. */
static void put_name(const char *what, unsigned process, uint32_t track, const char *name, size_t size)
{
    put_head("M", process, track, "__metadata");
    fprintf(file, ",\"name\":\"%s\",\"args\":{\"name\":", what);
    json_put(file, name, size);
    fputs("}}", file);
}

/* What port I/O and MMIO have besides. */
static void put_access(const struct trace_event *e)
{
    const char *device = trace_device(trace->vm, e) ?: "nobody";
    const char *verb = e->reason == KVM_EXIT_IO ? (e->is_write ? "out" : "in")
                       : e->is_write            ? "write"
                                                : "read";

    fprintf(file,
            ",\"name\":\"%s %s\",\"args\":{\"device\":\"%s\",\"addr\":\"0x%" PRIx64
            "\",\"size\":%u,\"count\":%u,\"value\":\"0x%" PRIx64 "\",",
            verb, device, device, e->addr, e->size, e->count, e->value);
}

static void put_exit(uint32_t vcpu, const struct trace_event *e)
{
    char word[32];

    trace_reason(e->reason, word);
    put_head("X", machine(), vcpu, "exit");
    put_us("ts", e->begin);
    put_us("dur", e->end - e->begin);
    if (e->reason == KVM_EXIT_IO || e->reason == KVM_EXIT_MMIO)
        put_access(e);
    else
        fprintf(file, ",\"name\":\"%s\",\"args\":{", word);
    fprintf(file, "\"reason\":\"%s\"", word);
    if (e->guest_ns != UNKNOWN_NS)
        put_us("guest_us", e->guest_ns);
    if (e->rip) {
        fputs(",\"at\":", file);
        json_put(file, place_name(e->rip), strlen(place_name(e->rip)));
    }
    fputs("}}", file);
}

static void put_console(const struct trace_event *e)
{
    put_head("i", machine(), CPU_TRACK, "console");
    put_us("ts", e->begin);
    fputs(",\"s\":\"t\",\"name\":\"console\",\"args\":{\"text\":", file);
    json_put(file, e->text, e->size);
    if (e->task < MAX_VCPUS)
        fprintf(file, ",\"vcpu\":%u", e->task);
    fputs("}}", file);
}

/* Guests tell a name again and again; it is written once. */
static void name_task(const struct trace_event *e)
{
    struct task *known = &tasks[e->task % TASKS];

    if (known->task == e->task && memcmp(known->name, e->text, sizeof known->name) == 0)
        return;
    known->task = e->task;
    memcpy(known->name, e->text, sizeof known->name);
    put_name("thread_name", guest(), e->task, e->text, strnlen(e->text, sizeof known->name));
}

static void put_told(uint32_t vcpu, const struct trace_event *e)
{
    bool on_cpu = e->kind == TRACE_SWITCH || e->kind == TRACE_INTERRUPT || !e->task;

    put_head("X", guest(), on_cpu ? CPU_TRACK + vcpu : e->task, trace_kind_names[e->kind]);
    put_us("ts", e->begin);
    put_us("dur", e->end - e->begin);
    fputs(",\"name\":", file);
    json_put(file, e->text, strnlen(e->text, sizeof e->text));
    fprintf(file, ",\"args\":{\"task\":%u,\"addr\":\"0x%" PRIx64 "\",\"value\":%" PRId64 "}}", e->task,
            e->addr, (int64_t)e->value);
}

static void put_event(uint32_t vcpu, const struct trace_event *e)
{
    if (written >= trace->limit)
        over_limit++;
    else if (e->kind == TRACE_EXIT)
        put_exit(vcpu, e);
    else if (e->kind == TRACE_CONSOLE)
        put_console(e);
    else if (e->kind == TRACE_NAME)
        name_task(e);
    else
        put_told(vcpu, e);
}

static void empty_rings(void)
{
    struct trace_event e;

    for (uint32_t i = 0; i < trace->vm->cpus; i++)
        while (trace->vcpus[i].ring.events && trace_take(&trace->vcpus[i].ring, &e))
            put_event(i, &e);
    while (trace_take(&trace->console, &e))
        put_event(MAX_VCPUS, &e);
}

static void *writer(void *unused)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        empty_rings();
        usleep(PAUSE_US);
    }
    return unused;
}

static void put_track_names(void)
{
    char name[32];

    put_name("process_name", machine(), 0, "machine", 7);
    put_name("process_name", guest(), 0, "guest", 5);
    put_name("thread_name", machine(), CPU_TRACK, "console", 7);
    for (uint32_t i = 0; i < trace->vm->cpus; i++) {
        put_name("thread_name", machine(), i, name, (size_t)sprintf(name, "vCPU %u", i));
        put_name("thread_name", guest(), CPU_TRACK + i, name, (size_t)sprintf(name, "guest's CPU %u", i));
    }
}

/* A first machine makes the file; one after a reset goes on where the totals of the one before stand. */
static int open_file(void)
{
    static char last_path[PATH_MAX];

    if (strcmp(last_path, trace->path) != 0)
        written = over_limit = life = 0;
    snprintf(last_path, sizeof last_path, "%s", trace->path);
    file = fopen(trace->path, life ? "r+e" : "we");
    if (!file || (life && fseek(file, file_end, SEEK_SET) < 0))
        return complain(-EIO, "--trace %s: %s", trace->path, strerror(errno));
    setvbuf(file, NULL, _IOFBF, MiB); /* few large writes: the vCPUs need the host, too */
    if (++life == 1)
        fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
    return 0;
}

int trace_file_start(struct trace *t)
{
    trace = t;
    int err = open_file();
    if (err < 0)
        return err;
    symbols_load(&symbols, trace->vm->kernel_fd);
    put_track_names();
    stop = false;
    err = pthread_create(&thread, NULL, writer, NULL);
    if (err == 0)
        return 0;
    fclose(file);
    file = NULL;
    return complain(-EAGAIN, "--trace: cannot start a thread: %s", strerror(err));
}

struct totals {
    uint64_t dropped, lost, skipped;
};

/* The end of the file: what the events above do not show. Readers of Chrome's format pass over it. */
static struct totals put_totals(void)
{
    struct totals sum = {.dropped = trace->console.dropped};

    fprintf(file, "\n],\"otherData\":{\"format\":\"terrarium trace 1\",\"every\":%" PRIu64 ",\"vcpus\":[",
            trace->filter.every);
    for (unsigned i = 0; i < trace->vm->cpus; i++) {
        const struct trace_vcpu *t = &trace->vcpus[i];
        sum.dropped += t->ring.dropped;
        sum.lost += t->told.lost;
        sum.skipped += t->skipped;
        fprintf(file, "%s{\"exits\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"skipped\":%" PRIu64 "}",
                i ? "," : "", t->seen, t->refused, t->skipped);
    }
    fprintf(file, "],\"dropped\":%" PRIu64 ",\"over_limit\":%" PRIu64 ",\"lost_by_guest\":%" PRIu64 "}}\n",
            sum.dropped, over_limit, sum.lost);
    return sum;
}

void trace_file_end(struct trace *t)
{
    if (!file)
        return;
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    empty_rings();
    file_end = ftell(file);
    struct totals sum = put_totals();
    symbols_free(&symbols);
    if (ferror(file) | fclose(file))
        complain(0, "--trace %s: cannot write all of it: %s", t->path, strerror(errno));
    file = NULL;
    if (sum.dropped || over_limit || sum.lost)
        complain(0,
                 "--trace %s: %" PRIu64
                 " events are missing, because the guest was faster than the file, %" PRIu64
                 " above --trace-limit, and %" PRIu64 " that the guest overwrote itself",
                 t->path, sum.dropped, over_limit, sum.lost);
}
