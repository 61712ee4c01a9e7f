/* The console: the one device that the host's terminal talks to. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "../vm.h"

enum {
    CONSOLE_EMPTY = -1,  /* nothing typed */
    CONSOLE_BREAK = 256, /* a break, which also stands for the end of input; 0..255 are bytes */
};

/* Make a device the console, until it withdraws or another one wants to be. `ready` is called, with vm->lock
 * held, when there is something for console_next(), or the terminal has another size. */
void console_offer(struct vm *vm, void (*ready)(struct vm *vm, void *dev), void *dev);

/* The device is no console any more; the one before it is again. Harmless if it was none. */
void console_withdraw(struct vm *vm, void *dev);

/* The next byte typed for `dev`, or CONSOLE_BREAK, or CONSOLE_EMPTY. Called with vm->lock held. */
int console_next(struct vm *vm, void *dev);

/* Whether console_next() has something. Called with vm->lock held. */
bool console_waiting(struct vm *vm, void *dev);

/* The size of the terminal in characters; 80 by 25 where there is none. */
void console_size(uint16_t *columns, uint16_t *rows);

#endif
