/* The start of a real-mode guest. */
#ifndef FLAT_H
#define FLAT_H

#include "../vm.h"

#define FLAT_BASE 0x7C00
#define FLAT_MAX  (0x10000 - FLAT_BASE) /* an offset has 16 bits */

/* Put a new vCPU there: IP and SP 0x7C00, all segments 0, interrupts off, all else 0. Returns 0 or -EIO after
 * a complain(). */
int flat_start(struct vcpu *vcpu);

#endif
