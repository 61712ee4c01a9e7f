/* The local APIC of the calling CPU. */
#ifndef APIC_H
#define APIC_H

#include "types.h"

unsigned apic_id(void);

/* Switch the local APIC on. */
void apic_enable(void);

/* The interrupt has been handled; the next one may come. */
void apic_eoi(void);

/* From now on TIMER_VECTOR is raised TICKS_PER_SECOND times a second. */
void apic_start_tick(void);

#endif
