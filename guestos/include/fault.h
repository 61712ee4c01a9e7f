/* Page faults. */
#ifndef FAULT_H
#define FAULT_H

#include "trap.h"

/*
 * Who manages programs' memory says here how a fault is resolved. The resolver returns true if the
 * instruction may be tried again (or the program is to receive a signal), false if the kernel did something
 * that it must not.
 */
void fault_set_resolver(bool (*resolver)(uint64_t address, struct trapframe *frame));

#endif
