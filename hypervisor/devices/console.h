/* The console: the one device that the host's terminal talks to. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "../vm.h"

enum {
    CONSOLE_EMPTY = -1,  /* nothing typed */
    CONSOLE_BREAK = 256, /* a break, which also stands for the end of input; 0..255 are bytes */
};

/* Make a device the console, until another one wants to be. `ready` is called, with vm->lock held, when there
 * is something for console_next(). */
void console_offer(struct vm *vm, void (*ready)(struct vm *vm, void *dev), void *dev);

/* The next byte typed for `dev`, or CONSOLE_BREAK, or CONSOLE_EMPTY. Called with vm->lock held. */
int console_next(struct vm *vm, void *dev);

#endif
