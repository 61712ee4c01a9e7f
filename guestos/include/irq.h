/* Interrupt lines: who answers which. */
#ifndef IRQ_H
#define IRQ_H

#include "types.h"

#define IRQ_LINES 24 /* the inputs of one IOAPIC */

/* Have handler(arg) called, interrupts off, whenever the line is raised. Returns 0, or -EBUSY, or -EINVAL. */
int irq_claim(unsigned line, void (*handler)(void *arg), void *arg);

/* Call the line's handler. Returns false if nobody has claimed it. */
bool irq_dispatch(unsigned line);

/* The interrupt controller says here how a line is let through; lines that were claimed earlier are let
 * through at once. */
void irq_set_controller(void (*unmask)(unsigned line));

#endif
