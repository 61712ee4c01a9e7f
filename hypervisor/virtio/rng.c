/* An entropy source by virtio (virtio 1.2 §5.4): fills buffers with the host's random bytes. */
#include <sys/random.h>
#include "virtio.h"

static struct option options[] = {
    {.name = "rng", .help = "a source of random bytes for the guest"},
    {0},
};

static size_t fill(const struct chain *chain)
{
    size_t written = 0;

    for (unsigned i = 0; i < chain->in_count; i++) {
        ssize_t n = getrandom(chain->in[i].iov_base, chain->in[i].iov_len, 0);
        written += n > 0 ? (size_t)n : 0;
        if (n < (ssize_t)chain->in[i]
                    .iov_len) /* the host stops at 32 MiB, and at a signal; the driver asks again */
            break;
    }
    return written;
}

static void notify(struct virtio_device *v, unsigned queue)
{
    struct chain chain;

    while (virtq_pop(v, queue, &chain))
        virtq_push(v, queue, chain.head, fill(&chain));
    virtq_tell(v, queue);
}

static int rng_attach(struct vm *vm)
{
    static const struct virtio_type type = {.id = 4, .queues = 1, .notify = notify};

    if (!options[0].value)
        return 0;
    struct virtio_device *v = vm_new_device(vm, sizeof *v);
    if (!v)
        return -ENOMEM;
    *v = (struct virtio_device){.name = "virtio-rng", .type = &type, .vm = vm};
    return virtio_attach(v);
}

FEATURE(virtio_rng) = {
    .name = "virtio-rng",
    .lab = 8,
    .help = "random bytes by virtio",
    .options = options,
    .attach = rng_attach,
};
