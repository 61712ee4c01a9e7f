/* A lock for short work: who waits for it spins. Interrupts are off on this CPU while one is held. */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include "types.h"

struct spinlock {
    bool locked;
};

void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);

#endif
