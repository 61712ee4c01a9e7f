/*
 * A CPU that has something to run is not interrupted by disks. It looks at their rings itself, before it
 * chooses what to run next: earlier, a thread that waited for a disk would not get the CPU anyway. Interrupts
 * are left to CPUs that rest.
 */
#include "block.h"
#include "init.h"
#include "thread.h"

static void look_init(void)
{
    before_choice = virtio_blk_look;
}

INIT(INIT_DRIVERS, look_init);
