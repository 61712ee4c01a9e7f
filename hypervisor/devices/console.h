/* The console: the one device that the host's terminal talks to, and the queue of what was typed for it. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "../vm.h"

enum {
    CONSOLE_EMPTY = -1,  /* nothing typed */
    CONSOLE_BREAK = 256, /* a break, which also stands for the end of input; 0..255 are bytes */
};

/*
 * Offer a device as the console; the first offer is the console until console_select() names another. `ready`
 * is called, with vm->lock held, when there is something for console_next(). Returns 0 or -ENOSPC after a
 * complain().
 */
int console_offer(struct vm *vm, const char *name, void (*ready)(struct vm *vm, void *dev), void *dev);

/* Make the device called `name` the console. Returns 0 or -ENOENT after a complain(). */
int console_select(struct vm *vm, const char *name);

/* The next byte typed for `dev`, or CONSOLE_BREAK, or CONSOLE_EMPTY. Called with vm->lock held. */
int console_next(struct vm *vm, void *dev);

/* The host's side: queue a byte or CONSOLE_BREAK, for which console_room() must say that there is room. */
void console_put(int item);
unsigned console_room(void);

/* An eventfd, readable when a queue that was full has room again. */
int console_room_fd(void);

/* Tell the console's device to look at the queue. Takes vm->lock. */
void console_wake(struct vm *vm);

#endif
