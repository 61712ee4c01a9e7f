/* The thread that does the devices' work once the guest's notifications come as eventfds: vCPUs go on
 * meanwhile. */
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "../feature.h"
#include "io_thread.h"

struct io_thread {
    pthread_t thread;
    int epoll_fd;
    bool started, stop;
    struct watch stopped; /* its eventfd only wakes the thread */
};

/*
 * Take one event. Between epoll_wait() and the lock a watch may have ended, and its memory be another's; so
 * the events are asked for again under the lock, without waiting, before any is believed.
 */
static void io_serve(struct vm *vm, struct io_thread *io)
{
    struct epoll_event events[16];
    eventfd_t ignored;

    pthread_mutex_lock(&vm->lock);
    int n = epoll_wait(io->epoll_fd, events, COUNT(events), 0);
    for (int i = 0; i < n; i++) {
        struct watch *watch = events[i].data.ptr;
        if (eventfd_read(watch->fd, &ignored) == 0 && watch->ready)
            watch->ready(watch);
    }
    pthread_mutex_unlock(&vm->lock);
}

static void *io_loop(void *arg)
{
    struct vm *vm = arg;
    struct io_thread *io = vm->io_thread;
    struct epoll_event event;

    /* Where the host has no CPU free for us, let the guest go on: what it asks until it rests, we find at
     * once, and are not told of it. sched(7), "SCHED_BATCH". */
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    while (!__atomic_load_n(&io->stop, __ATOMIC_SEQ_CST))
        if (epoll_wait(io->epoll_fd, &event, 1, -1) > 0)
            io_serve(vm, io);
    return NULL;
}

/* The VM's thread, started when the first descriptor is to be watched. NULL after a complain(). */
static struct io_thread *io_get(struct vm *vm)
{
    struct io_thread *io = vm->io_thread ?: vm_new_device(vm, sizeof *io);

    if (!io || vm->io_thread)
        return io;
    io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    io->stopped = (struct watch){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .vm = vm};
    vm->io_thread = io;
    int err = io_watch(&io->stopped) ?: pthread_create(&io->thread, NULL, io_loop, vm);
    io->started = err == 0;
    if (err > 0)
        complain(0, "cannot start the thread for devices: %s", strerror(err));
    return err ? NULL : io;
}

int io_watch(struct watch *watch)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
    const struct io_thread *io = io_get(watch->vm);

    if (io && epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0)
        return 0;
    return complain(-EIO, "cannot wait for an event of a device: %s", strerror(errno));
}

void io_unwatch(struct watch *watch)
{
    const struct io_thread *io = watch->vm->io_thread;

    if (io) /* else nothing was ever watched */
        epoll_ctl(io->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

/* It may be blocked in a write to a full pipe; a signal gets it out, but only one that does not come just
 * before. */
static void io_join(struct io_thread *io)
{
    struct timespec until;

    do {
        pthread_kill(io->thread, KICK_SIGNAL);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
    } while (pthread_timedjoin_np(io->thread, NULL, &until) == ETIMEDOUT);
}

static void io_ended(struct vm *vm)
{
    struct io_thread *io = vm->io_thread;

    if (!io)
        return;
    __atomic_store_n(&io->stop, true, __ATOMIC_SEQ_CST);
    eventfd_write(io->stopped.fd, 1);
    if (io->started)
        io_join(io);
    close(io->stopped.fd);
    close(io->epoll_fd);
}

FEATURE(io_thread) = {
    .name = "io-thread",
    .lab = 9,
    .help = "a thread for the devices' work",
    .ended = io_ended,
};
