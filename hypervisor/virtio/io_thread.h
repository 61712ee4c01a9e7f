/* A thread that waits for file descriptors, so that no vCPU has to. */
#ifndef IO_THREAD_H
#define IO_THREAD_H

#include "../vm.h"

/* A descriptor to wait for. The memory is the caller's and stays while it is watched. */
struct watch {
    int fd;                        /* an eventfd */
    void (*ready)(struct watch *); /* called on the thread with vm->lock held, after the eventfd was read */
    struct vm *vm;
    void *arg;
};

/* Begin and end to wait. Returns 0 or -errno after a complain(). Nothing is called after io_unwatch() with
 * vm->lock held. */
int io_watch(struct watch *watch);
void io_unwatch(struct watch *watch);

#endif
