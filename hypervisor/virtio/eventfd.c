/* Virtio without exits for notifications: the kernel turns the guest's write to QueueNotify into an eventfd
 * (ioeventfd), and an eventfd into the guest's interrupt (irqfd). KVM API, "KVM_IOEVENTFD", "KVM_IRQFD". */
#include <sys/eventfd.h>
#include <unistd.h>
#include "io_thread.h"
#include "virtio.h"

#define QUEUE_NOTIFY 0x50 /* virtio 1.2 §4.2.2 */

static struct option options[] = {
    {.name = "no-eventfd", .help = "let each notification of a device be an exit, as before lab 9"},
    {0},
};

/* What a device has instead of exits. */
struct events {
    struct virtio_device *device;
    int irq_fd;
    struct watch notify[VIRTIO_QUEUES_MAX];
};

/* For KVM an irqfd is a pulse: an edge, whatever else is on the line. */
static void pulse_line(struct virtio_device *v, int level)
{
    const struct events *e = v->events;

    if (level)
        eventfd_write(e->irq_fd, 1);
}

static void notified(struct watch *watch)
{
    const struct events *e = watch->arg;

    if (virtio_running(e->device))
        e->device->type->notify(e->device, (unsigned)(watch - e->notify));
}

static int ioeventfd(struct events *e, unsigned queue, uint32_t flags)
{
    struct kvm_ioeventfd arg = {.datamatch = queue,
                                .addr = e->device->gpa + QUEUE_NOTIFY,
                                .len = 4,
                                .fd = e->notify[queue].fd,
                                .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags};

    return ioctl(e->device->vm->fd, KVM_IOEVENTFD, &arg);
}

/* A running device's notifications bypass its registers. Where KVM refuses that, they are exits as before. */
static void events_running(struct virtio_device *v, bool running)
{
    struct events *e = v->events;

    for (unsigned i = 0; i < v->type->queues; i++) {
        if (running && ioeventfd(e, i, 0) == 0) {
            io_watch(&e->notify[i]);
        } else if (!running) {
            ioeventfd(e, i, KVM_IOEVENTFD_FLAG_DEASSIGN);
            io_unwatch(&e->notify[i]);
        }
    }
}

static void use_events(struct virtio_device *v)
{
    struct events *e = vm_new_device(v->vm, sizeof *e);
    struct kvm_irqfd irqfd = {.gsi = v->line};

    if (!e)
        return;
    e->device = v;
    for (unsigned i = 0; i < v->type->queues; i++)
        e->notify[i] = (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), notified, v->vm, e};
    e->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    irqfd.fd = (uint32_t)e->irq_fd;
    v->events = e;
    v->running = events_running;
    if (ioctl(v->vm->fd, KVM_IRQFD, &irqfd) == 0)
        v->set_line = pulse_line;
}

static int eventfd_attach(struct vm *vm)
{
    if (!options[0].value && vm->irqchip)
        virtio_each(vm, use_events);
    return 0;
}

static void close_events(struct virtio_device *v)
{
    const struct events *e = v->events;

    for (unsigned i = 0; e && i < v->type->queues; i++)
        close(e->notify[i].fd);
    if (e)
        close(e->irq_fd);
}

static void eventfd_ended(struct vm *vm)
{
    virtio_each(vm, close_events);
}

FEATURE(eventfds) = {
    .name = "eventfd",
    .lab = 9,
    .help = "ioeventfd and irqfd: notifications of devices that are no exits",
    .options = options,
    .attach = eventfd_attach,
    .ended = eventfd_ended,
};
