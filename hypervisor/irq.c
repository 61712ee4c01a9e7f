/* Interrupt lines: how a device asks for attention, whoever listens. */
#include "irq.h"

void irq_set_line(struct vm *vm, unsigned line, int level)
{
    if (vm->irq_sink) /* until an interrupt controller is there, guests have to poll */
        vm->irq_sink(vm, line, level);
}
