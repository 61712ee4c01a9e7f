/* Lab 9: Linux's own drivers use Terrarium's virtio devices, with eventfds and without. Debian's kernel,
 * which scripts/with-kvm has unpacked, boots with linux_init.sh as its first process. */
#include <glob.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guest.h"
#include "acpi.h"
#include "results.h"
#include "virtio/virtio.h"

#define KERNELS     "build/with-kvm/machine-*/kernel"
#define MODULES     "build/with-kvm/kernel/lib/modules/*"
#define INIT        "labs/09-eventfd/tests/linux_init.sh"
#define BUSYBOX     "/bin/busybox"
#define REPORT_PORT 0x1000
#define WINDOW_SIZE 0x200 /* of a device's registers */
#define DISK_SIZE   (16 * MiB)
#define SMALL_SIZE  MiB /* of the disk that is only read */

/* One machine that boots once, when the first test asks for what came of it. */
struct machine {
    const char *option; /* beside those of all */
    bool ran;
    int status;
    uint64_t exits;
    uint8_t *disk, *small; /* what is on the disks now */
    char report[64 * KiB]; /* lines "name value" */
    size_t report_size;
    uint8_t output[MiB]; /* of both consoles */
    size_t output_size;
    size_t echo_start, echo_end; /* in output: what the guest wrote to the virtio console, the first time */
    unsigned resets_seen;        /* how often all devices had forgotten their drivers */
};

static struct machine machines[] = {{.option = NULL}, {.option = "--no-eventfd"}};
static struct machine *current;
static const char *kernel, *missing; /* why Linux cannot be booted here */
static int console_pipe[2];

/* ---- Files in memory ---- */

static const char *path_of(int fd)
{
    static char paths[8][32];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "/proc/self/fd/%d", fd);
    return path;
}

/* Bytes that look random and are always the same. */
static uint8_t pattern(size_t i)
{
    return (uint8_t)((i * 0x9e3779b97f4a7c15) >> 56 ^ i >> 9 ^ i >> 16);
}

static uint8_t *make_disk(size_t size, int *fd)
{
    *fd = memfd_create("disk", MFD_CLOEXEC);
    assert_int_equal(ftruncate(*fd, (off_t)size), 0);
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern(i + size);
    return bytes;
}

/* ---- The initial file system: a cpio archive (Linux,
 * Documentation/driver-api/early-userspace/buffer-format) ---- */

static int archive = -1;

static void archive_align(void)
{
    off_t size = lseek(archive, 0, SEEK_END);

    assert_int_equal(ftruncate(archive, (size + 3) & ~3), 0);
    lseek(archive, 0, SEEK_END);
}

static void archive_add(const char *name, unsigned mode, const void *data, size_t size)
{
    dprintf(archive, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X%s%c", 0, mode, 0, 0, 1, 0,
            size, 0, 0, 0, 0, strlen(name) + 1, 0, name, 0);
    archive_align();
    assert_int_equal(write(archive, data, size), size);
    archive_align();
}

/* Returns false if there is no such file. */
static bool archive_add_file(const char *name, unsigned mode, const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat st;

    if (!file)
        return false;
    assert_int_equal(fstat(fileno(file), &st), 0);
    char *data = malloc((size_t)st.st_size);
    assert_int_equal(fread(data, 1, (size_t)st.st_size, file), st.st_size);
    fclose(file);
    archive_add(name, mode, data, (size_t)st.st_size);
    free(data);
    return true;
}

/* A directory names the kernel that they are for. Returns false if one is missing. */
static bool archive_add_modules(const char *modules)
{
    static const char *const files[] = {
        "virtio/virtio_ring", "virtio/virtio", "virtio/virtio_mmio",        "char/virtio_console",
        "block/virtio_blk",   "block/loop",    "char/hw_random/virtio-rng",
    };
    char path[512], name[64];
    bool found = true;

    snprintf(name, sizeof name, "modules/%s", strrchr(modules, '/') + 1);
    archive_add(name, S_IFDIR | 0755, "", 0);
    for (size_t i = 0; found && i < COUNT(files); i++) {
        snprintf(path, sizeof path, "%s/kernel/drivers/%s.ko", modules, files[i]);
        snprintf(name, sizeof name, "modules/%s.ko", strrchr(files[i], '/') + 1);
        found = archive_add_file(name, S_IFREG | 0644, path);
    }
    return found;
}

static void archive_make(const char *modules)
{
    archive = memfd_create("initramfs", MFD_CLOEXEC);
    archive_add("bin", S_IFDIR | 0755, "", 0);
    archive_add("modules", S_IFDIR | 0755, "", 0);
    if (!archive_add_file("bin/busybox", S_IFREG | 0755, BUSYBOX))
        missing = "there is no " BUSYBOX " (Debian: busybox-static)";
    else if (!archive_add_modules(modules))
        missing = "the kernel's virtio drivers are not modules that can be used as they are";
    else if (!archive_add_file("init", S_IFREG | 0755, INIT))
        fail_msg("%s is not there; run this in the kit's directory", INIT);
    archive_add("TRAILER!!!", 0, "", 0);
}

/* The first path that fits, or NULL. */
static const char *find(const char *pattern_of_path)
{
    glob_t g;

    return glob(pattern_of_path, 0, NULL, &g) == 0 ? g.gl_pathv[0] : NULL;
}

static bool is_elf(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "r");

    if (!file)
        return false;
    bool read = fread(magic, sizeof magic, 1, file) == 1;
    fclose(file);
    return read && memcmp(magic, "\177ELF", 4) == 0;
}

static void find_linux(void)
{
    const char *modules = find(MODULES);

    kernel = find(KERNELS);
    if (!kernel || !modules)
        missing = "no kernel is unpacked; TERRARIUM_FORCE_FALLBACK=1 scripts/with-kvm --prepare does that";
    else if (!is_elf(kernel))
        missing = "the kernel that scripts/with-kvm has unpacked is not an ELF file";
    else
        archive_make(modules);
}

/* ---- What the guest says ---- */

/* The value that the guest reported under `name`, or "(nothing)". */
static const char *answer(const struct machine *m, const char *name)
{
    static char value[512];
    size_t length = strlen(name);

    for (const char *line = m->report; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            snprintf(value, sizeof value, "%.*s", (int)strcspn(line + length + 1, "\n"), line + length + 1);
            return value;
        }
    return "(nothing)";
}

/* Type for the guest: whole KiB. The pipe takes less at once than all of it. */
static void *type(void *arg)
{
    size_t size = (size_t)(uintptr_t)arg;
    uint8_t bytes[1024];

    for (size_t i = 0; i < size; i += sizeof bytes) {
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = pattern(i + j);
        if (write(console_pipe[1], bytes, sizeof bytes) != sizeof bytes)
            break;
    }
    return NULL;
}

static void start_typing(size_t size)
{
    pthread_t thread;

    pthread_create(&thread, NULL, type, (void *)(uintptr_t)size);
    pthread_detach(thread);
}

static bool all_reset;

/* Linux acknowledges a device again when its driver has gone. */
static void see_reset(struct virtio_device *v)
{
    const struct virtio_state *s = v->state;

    all_reset = all_reset && s->status <= VIRTIO_STATUS_ACKNOWLEDGE && s->features == 0 && s->interrupts == 0;
    for (unsigned i = 0; i < v->type->queues; i++)
        all_reset = all_reset && !s->queues[i].ready && s->queues[i].next_avail == 0;
}

/* A line came: some are signs for us. */
static void heard(struct vm *vm, const char *line)
{
    if (getenv("SHOW_REPORT")) /* for whoever looks for what takes long */
        fprintf(stderr, "%8.3f %lu %s", host_now() / 1e9, vm->vcpus[0]->exit_count, line);
    if (strncmp(line, "console.ready ", 14) == 0) {
        current->echo_start = current->output_size;
        start_typing(300 * KiB);
    } else if (strncmp(line, "console.written ", 16) == 0) {
        current->echo_end = current->output_size;
    } else if (strncmp(line, "again.ready ", 12) == 0) {
        start_typing(64 * KiB);
    } else if (strncmp(line, "unloaded", 8) == 0) {
        all_reset = true;
        virtio_each(vm, see_reset);
        current->resets_seen += all_reset;
    } else if (strncmp(line, "end", 3) == 0) {
        vm_stop(vm, 0);
    }
}

static void report_write(const struct access *a, uint64_t value)
{
    static size_t line;

    if (current->report_size == 0)
        line = 0;
    if (current->report_size + 1 < sizeof current->report)
        current->report[current->report_size++] = (char)value;
    if (value == '\n') {
        heard(a->vm, current->report + line);
        line = current->report_size;
    }
}

static void collect_output(struct vm *vm, const void *data, size_t size)
{
    (void)vm;
    if (size > sizeof current->output - current->output_size)
        size = sizeof current->output - current->output_size;
    memcpy(current->output + current->output_size, data, size);
    current->output_size += size;
}

/* ---- The machine ---- */

static struct acpi_device devices[16];
static unsigned device_count;

static void note_device(struct virtio_device *v)
{
    if (device_count < COUNT(devices))
        devices[device_count++] = (struct acpi_device){(uint32_t)v->gpa, WINDOW_SIZE, v->line};
}

/* As firmware would do it. All devices are there: features attach in the order of their labs. Should one of
 * them have brought tables of its own, then those it is that Linux gets. */
static int tables_attach(struct vm *vm)
{
    device_count = 0;
    virtio_each(vm, note_device);
    return vm->rsdp ? 0 : acpi_write_tables(vm, devices, device_count);
}

FEATURE(test_tables) = {.name = "test-tables", .lab = 99, .help = "ACPI tables", .attach = tables_attach};

static void make_and_run(struct machine *m, int argc, const char **argv)
{
    static const struct bus_ops report = {.sizes = 1, .write = report_write};
    struct vm *vm = calloc(1, sizeof *vm);

    features_collect();
    options_clear();
    assert_int_equal(options_parse(argc, (char **)argv), 0);
    vm->memory = 256 * MiB;
    vm->cpus = 1;
    vm->host_io = true;
    vm->output = collect_output;
    assert_int_equal(vm_create(vm), 0);
    assert_int_equal(bus_claim(&vm->ports, REPORT_PORT, 0x1000, "report", &report, NULL), 0);
    m->status = run_vm(vm);
    m->exits = vm->vcpus[0]->exit_count;
    free_vm(vm);
}

static void boot(struct machine *m)
{
    char disk[64], small[64];
    int disk_fd, small_fd;

    m->ran = true;
    current = m;
    m->disk = make_disk(DISK_SIZE, &disk_fd);
    m->small = make_disk(SMALL_SIZE, &small_fd);
    snprintf(disk, sizeof disk, "%s,serial=LINUX-TEST-DISK-0001", path_of(disk_fd));
    snprintf(small, sizeof small, "%s,ro", path_of(small_fd));
    const char *args[] = {"run",
                          "--kernel",
                          kernel,
                          "--initrd",
                          path_of(archive),
                          "--append",
                          "console=ttyS0 loglevel=4 panic=-1 pci=off tsc=reliable no_timer_check",
                          "--disk",
                          disk,
                          "--disk",
                          small,
                          "--rng",
                          m->option};
    make_and_run(m, m->option ? 13 : 12, args);
    close(disk_fd);
    close(small_fd);
}

static void skip_if_missing(void)
{
    if (!missing)
        return;
    fprintf(stderr, "Linux cannot be tried here: %s\n", missing);
    skip();
}

/* The machine after its run, or the test is skipped or fails. */
static struct machine *result_of(void **state)
{
    struct machine *m = *state;

    skip_if_missing();
    if (!m->ran)
        boot(m);
    if (strstr(m->report, "\nmodules none\n"))
        missing = "the kernel and the modules that scripts/with-kvm has unpacked are of different versions";
    skip_if_missing();
    if (m->status != 0)
        fail_msg("Linux did not come to the end of %s (status %d). It reported:\n%s\nIts consoles:\n%.*s",
                 INIT, m->status, m->report, (int)m->output_size, m->output);
    return m;
}

static void expect_answer(const struct machine *m, const char *name, const char *value, const char *lesson)
{
    const char *got = answer(m, name);

    if (strcmp(got, value) != 0)
        fail_msg("%s: expected \"%s\", got \"%s\"\n%s\nThe whole report:\n%s", name, value, got, lesson,
                 m->report);
}

/* ---- The tests ---- */

static void linux_finds_the_devices(void **state)
{
    const struct machine *m = result_of(state);

    expect_answer(m, "load.virtio_mmio", "ok", "Linux finds the devices through the DSDT");
    expect_answer(m, "vda.sectors", "32768", "capacity, in sectors of 512 bytes (§5.2.4)");
    expect_answer(m, "vda.serial", "LINUX-TEST-DISK-0001", "VIRTIO_BLK_T_GET_ID (§5.2.6)");
    expect_answer(m, "vda.ro", "0", "VIRTIO_BLK_F_RO is not offered");
    expect_answer(m, "vda.cache", "write back", "VIRTIO_BLK_F_FLUSH is offered: Linux sends flushes");
    expect_answer(m, "vdb.sectors", "2048", "capacity, in sectors of 512 bytes (§5.2.4)");
    expect_answer(m, "vdb.serial", "terrarium-vdb", "VIRTIO_BLK_T_GET_ID (§5.2.6)");
    expect_answer(m, "vdb.ro", "1", "VIRTIO_BLK_F_RO (§5.2.3)");
    expect_answer(m, "interrupts", "4", "each device has an edge-triggered interrupt line of its own");
}

/* The disk from MiB `to` on has what is at MiB `from`, `size` bytes. */
static void expect_copy(const struct machine *m, size_t to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (m->disk[to + i] != from[i])
            fail_msg("vda, byte 0x%zx: expected %02x, which Linux read elsewhere, got %02x", to + i, from[i],
                     m->disk[to + i]);
}

static void linux_reads_and_writes_a_disk(void **state)
{
    struct machine *m = result_of(state);
    char name[32];

    expect_answer(m, "vda.large", "ok", "1 MiB at a time, past the page cache");
    for (size_t i = 0; i < 4 * MiB; i++)
        assert_int_equal(m->disk[i], pattern(i + DISK_SIZE));
    expect_copy(m, 4 * MiB, m->disk, 4 * MiB);
    for (unsigned part = 9; part < 13; part++) {
        snprintf(name, sizeof name, "vda.small.%u", part);
        expect_answer(m, name, "ok", "four at a time, a page each");
        expect_copy(m, part * MiB, m->disk, MiB);
    }
}

static void linux_only_reads_a_read_only_disk(void **state)
{
    struct machine *m = result_of(state);

    expect_answer(m, "vdb.read", "ok", "through the page cache");
    expect_copy(m, 8 * MiB, m->small, SMALL_SIZE);
    assert_string_not_equal(answer(m, "vdb.write"), "ok");
    for (size_t i = 0; i < SMALL_SIZE; i++)
        assert_int_equal(m->small[i], pattern(i + SMALL_SIZE));
}

static void linux_discards_and_zeroes(void **state)
{
    struct machine *m = result_of(state);

    expect_answer(m, "vda.discard", "ok", "VIRTIO_BLK_T_DISCARD (§5.2.6)");
    expect_answer(m, "vda.zeroes", "ok", "VIRTIO_BLK_T_WRITE_ZEROES (§5.2.6)");
    for (size_t i = 13 * MiB; i < 15 * MiB; i++)
        expect_number(m->disk[i], 0, "a hole in a file reads as zeroes");
}

static void linux_gets_random_bytes(void **state)
{
    struct machine *m = result_of(state);
    unsigned counts[256] = {0};

    expect_contains(answer(m, "rng.name"), "virtio_rng", "Linux's source of entropy");
    expect_answer(m, "rng", "ok", "64 KiB from /dev/hwrng");
    for (size_t i = 0; i < 64 * KiB; i++)
        counts[m->disk[15 * MiB + i]]++;
    for (unsigned i = 0; i < 256; i++)
        assert_in_range(counts[i], 128, 512); /* 256 are to be expected; eight standard deviations */
}

static void linux_hears_and_speaks_by_the_console(void **state)
{
    struct machine *m = result_of(state);

    expect_answer(m, "console.read", "307200", "all that was typed has reached Linux");
    expect_number(m->echo_end - m->echo_start, 300 * KiB, "Linux wrote it all to the console");
    for (size_t i = 0; i < 300 * KiB; i++)
        if (m->output[m->echo_start + i] != pattern(i))
            fail_msg("byte %zu was typed as %02x and came back as %02x", i, pattern(i),
                     m->output[m->echo_start + i]);
}

static void linux_resets_and_starts_the_devices_again(void **state)
{
    struct machine *m = result_of(state);
    static const char *const oks[] = {"unload.virtio_blk", "unload.virtio_console", "unload.virtio_rng",
                                      "load.virtio_blk",   "again.write",           "again.rng",
                                      "again.written",     "unload.virtio_mmio",    "third.write"};

    expect_number(m->resets_seen, 2,
                  "a driver that goes resets its device, which forgets features and queues (§2.4)");
    for (size_t i = 0; i < COUNT(oks); i++)
        expect_answer(m, oks[i], "ok", "and the next driver begins anew");
    expect_answer(m, "again.sectors", "32768", "the configuration outlives the reset");
    expect_answer(m, "again.read", "65536", "the console takes input again");
    expect_copy(m, 244 * 64 * KiB, m->disk, 256 * KiB / 2);
    expect_copy(m, 246 * 64 * KiB, m->disk, 256 * KiB / 2);
}

static void linux_has_nothing_to_complain_of(void **state)
{
    const struct machine *m = result_of(state);
    static const char *const words[] = {"virtio", "vda", "vdb", "hvc", "I/O error", "nobody cared", "rng"};

    for (const char *line = m->report; (line = strstr(line, "\ndmesg ")); line++) {
        char text[256];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(line + 7, "\n"), line + 7);
        for (size_t i = 0; i < COUNT(words); i++)
            if (strstr(text, words[i]))
                fail_msg("Linux's log has: %s", text);
    }
}

static void linux_exits_less_with_eventfds(void **state)
{
    const struct machine *by_exits = result_of(state), *by_eventfds = &machines[0];

    skip_if_missing();
    if (by_eventfds->exits + 1000 > by_exits->exits)
        fail_msg(
            "%lu exits with eventfds, %lu without: about 2,500 notifications should be none (KVM_IOEVENTFD)",
            by_eventfds->exits, by_exits->exits);
}

bool tests_share_a_process = true; /* they look at two boots of Linux */

/* A test of each machine, whose boots come in this order. */
#define BOTH(test)                                                                                           \
    {#test "_by_eventfds", test, NULL, NULL, &machines[0]},                                                  \
    {                                                                                                        \
#test "_by_exits", test, NULL, NULL, &machines[1]                                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(linux_finds_the_devices),
        BOTH(linux_reads_and_writes_a_disk),
        BOTH(linux_only_reads_a_read_only_disk),
        BOTH(linux_discards_and_zeroes),
        BOTH(linux_gets_random_bytes),
        BOTH(linux_hears_and_speaks_by_the_console),
        BOTH(linux_resets_and_starts_the_devices_again),
        BOTH(linux_has_nothing_to_complain_of),
        {"linux_exits_less_with_eventfds", linux_exits_less_with_eventfds, NULL, NULL, &machines[1]},
    };

    find_linux();
    if (pipe(console_pipe) < 0 || dup2(console_pipe[0], STDIN_FILENO) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
