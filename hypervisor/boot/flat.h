/* The start of a real-mode guest: IP as given, SP 0x7C00, all segments 0, interrupts off, everything else
 * zero. */
#ifndef FLAT_H
#define FLAT_H

#include "../vm.h"

#define FLAT_BASE 0x7C00
#define FLAT_MAX  (0x10000 - FLAT_BASE) /* an offset has 16 bits */

/* Put the vCPU into that state. Returns 0 or -errno after a complain(). */
int flat_start(struct vcpu *vcpu, uint16_t ip);

#endif
