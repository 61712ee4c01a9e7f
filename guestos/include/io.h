/* Port input and output. */
#ifndef IO_H
#define IO_H

#include "types.h"

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Write n bytes to one port. Not by REP OUTSB: KVM must emulate that, and exits for each byte all the same.
 */
static inline void out8_many(uint16_t port, const void *bytes, size_t n)
{
    for (const uint8_t *at = bytes; n--; at++)
        out8(port, *at);
}

#endif
