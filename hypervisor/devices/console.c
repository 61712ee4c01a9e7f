/* The console: the one device that the host's terminal talks to, and the queue of what was typed for it. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include "../host.h"
#include "console.h"

#define QUEUE_SIZE 4096

/* A process has one stdin, so it has one queue. It outlives a reset: nothing typed ahead is lost. */
static struct {
    pthread_mutex_t lock; /* guards the queue; taken last */
    uint16_t items[QUEUE_SIZE];
    unsigned first, count;
    int room_fd;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .room_fd = -1};

int console_offer(struct vm *vm, const char *name, void (*ready)(struct vm *vm, void *dev), void *dev)
{
    if (vm->console_count == sizeof vm->consoles / sizeof vm->consoles[0])
        return complain(-ENOSPC, "%s: there are %u consoles already", name, vm->console_count);
    vm->consoles[vm->console_count++] = (struct console){name, ready, dev};
    return 0;
}

int console_select(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < vm->console_count; i++)
        if (strcmp(vm->consoles[i].name, name) == 0) {
            vm->console = i;
            return 0;
        }
    return complain(-ENOENT, "no device called %s can be the console", name);
}

static int queue_take(void)
{
    int item = CONSOLE_EMPTY;

    pthread_mutex_lock(&queue.lock);
    if (queue.count > 0) {
        item = queue.items[queue.first];
        queue.first = (queue.first + 1) % QUEUE_SIZE;
        if (queue.count-- == QUEUE_SIZE && queue.room_fd >= 0)
            eventfd_write(queue.room_fd, 1);
    }
    pthread_mutex_unlock(&queue.lock);
    return item;
}

int console_next(struct vm *vm, void *dev)
{
    if (!vm->host_io || vm->console_count == 0 || vm->consoles[vm->console].dev != dev)
        return CONSOLE_EMPTY;
    return queue_take();
}

void console_put(int item)
{
    pthread_mutex_lock(&queue.lock);
    queue.items[(queue.first + queue.count) % QUEUE_SIZE] = (uint16_t)item;
    queue.count++;
    pthread_mutex_unlock(&queue.lock);
}

unsigned console_room(void)
{
    pthread_mutex_lock(&queue.lock);
    unsigned room = QUEUE_SIZE - queue.count;
    pthread_mutex_unlock(&queue.lock);
    return room;
}

int console_room_fd(void)
{
    pthread_mutex_lock(&queue.lock);
    if (queue.room_fd < 0)
        queue.room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_unlock(&queue.lock);
    return queue.room_fd;
}

void console_wake(struct vm *vm)
{
    pthread_mutex_lock(&vm->lock);
    if (vm->console_count > 0)
        vm->consoles[vm->console].ready(vm, vm->consoles[vm->console].dev);
    pthread_mutex_unlock(&vm->lock);
}
