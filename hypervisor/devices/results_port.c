/* `--results FILE`: tests in a guest report through port 0xE8, apart from the console that programs write to.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "../feature.h"

static struct option options[] = {
    {"results", "FILE", "append to FILE every byte that the guest writes to port 0xE8", NULL, NULL},
    {0},
};

static int results_fd = -1;

static void results_write_string(struct vm *vm, void *dev, uint64_t offset, const void *data, unsigned size,
                                 unsigned count)
{
    (void)dev;
    (void)offset;
    int err = host_write(results_fd, data, (size_t)size * count, NULL, NULL);
    if (err < 0) {
        complain(err, "--results %s: %s", options[0].value, strerror(-err));
        vm_stop(vm, STATUS_HOST_ERROR);
    }
}

static void results_write(struct vm *vm, void *dev, uint64_t offset, uint64_t value, unsigned size)
{
    results_write_string(vm, dev, offset, &value, size, 1);
}

/* As QEMU's isa-debugcon: a guest that reads 0xE9 knows that its results are wanted; without us it reads
 * 0xFF. */
static uint64_t results_read(struct vm *vm, void *dev, uint64_t offset, unsigned size)
{
    (void)vm;
    (void)dev;
    (void)offset;
    (void)size;
    return 0xE9;
}

static int results_attach(struct vm *vm)
{
    static const struct bus_ops ops = {1, results_read, results_write, results_write_string};
    const char *path = options[0].value;

    if (!path)
        return 0;
    results_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (results_fd < 0)
        return complain(-errno, "--results %s: %s", path, strerror(errno));
    return bus_claim(&vm->ports, 0xE8, 1, "results-port", &ops, NULL);
}

static void results_detach(struct vm *vm)
{
    (void)vm;
    if (results_fd >= 0)
        close(results_fd);
    results_fd = -1;
}

FEATURE(results_port) = {
    .name = "results-port",
    .lab = 6,
    .help = "the results of tests in a guest, through port 0xE8",
    .options = options,
    .attach = results_attach,
    .detach = results_detach,
};
