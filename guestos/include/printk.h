/* Printing from the kernel, and the end of the kernel. */
#ifndef PRINTK_H
#define PRINTK_H

#include "types.h"

/*
 * Format into `to`, which has room for `size` bytes (a terminating zero included). Knows %d %i %u %x %c %s %p
 * %%, the lengths l, ll and z, the flags - and 0, a width and, for %s, a precision. Returns the length that
 * the whole text has.
 */
int format(char *to, size_t size, const char *fmt, ...) PRINTF(3, 4);
int vformat(char *to, size_t size, const char *fmt, va_list args);

/* News about starting up: not shown with the option `quiet`. */
void printk(const char *fmt, ...) PRINTF(1, 2);

/* Something that a person must see. */
void warn(const char *fmt, ...) PRINTF(1, 2);

/* Say what is impossible, show how we came here, and stop the machine with status 255. */
void panic(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));

/* Print the chain of calls that begins at a frame pointer. */
void print_backtrace(uint64_t rip, uint64_t rbp);

/* End the machine. `status` becomes the hypervisor's exit status. */
void power_off(unsigned status) __attribute__((noreturn));

/* Start the machine again from its beginning. */
void power_reset(void) __attribute__((noreturn));

#endif
