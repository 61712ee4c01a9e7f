/* Interrupt lines: how a device asks for attention, whoever listens. */
#ifndef IRQ_H
#define IRQ_H

#include "vm.h"

/*
 * Set interrupt line 0..23 (the pins of the I/O APIC; 0..15 are also those of the two 8259s) to `level`. A
 * line is a level, not an event: a device raises it while it wants attention. Any thread; with vm->lock held.
 */
void irq_set_line(struct vm *vm, unsigned line, int level);

#endif
