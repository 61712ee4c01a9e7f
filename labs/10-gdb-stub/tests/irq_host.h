/* For tests of Moss that turn interrupts off and on, and ask which CPU they are on. */
#ifndef IRQ_HOST_H
#define IRQ_HOST_H

/* From now on, to the end of the test, CLI and STI do nothing (the host refuses them to a program), and GS
 * leads to `cpu`. */
void irq_host_begin(void *cpu);

#endif
