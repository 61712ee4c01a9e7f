/* `--results FILE`: tests in a guest report through port 0xE8, apart from the console that programs write to.
 */
#include <fcntl.h>
#include <unistd.h>
#include "../feature.h"

static struct option options[] = {
    {.name = "results",
     .arg = "FILE",
     .help = "append to FILE every byte that the guest writes to port 0xE8"},
    {0},
};

static int results_fd = -1;

static void results_write(const struct access *a)
{
    vm_write(a->vm, results_fd, options[0].value, a->data, a->count);
}

/* As QEMU's isa-debugcon: a guest that reads 0xE9 knows that its results are wanted; without us it reads
 * 0xFF. */
static uint64_t results_read(const struct access *a)
{
    (void)a;
    return 0xE9;
}

static int results_attach(struct vm *vm)
{
    static const struct bus_ops ops = {.sizes = 1, .read = results_read, .write_string = results_write};
    const char *path = options[0].value;

    if (!path)
        return 0;
    results_fd = host_create("--results", path, O_APPEND);
    if (results_fd < 0)
        return results_fd;
    return bus_claim(&vm->ports, 0xE8, 1, "results-port", &ops, NULL);
}

static void results_ended(struct vm *vm)
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
    .ended = results_ended,
};
