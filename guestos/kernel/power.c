/* The end of the machine: off, with a status, or again from the start. */
#include "console.h"
#include "cpu.h"
#include "io.h"
#include "printk.h"

#define EXIT_PORT     0xf4 /* QEMU's isa-debug-exit; Terrarium's has the same place and width */
#define KEYBOARD_PORT 0x64 /* the PC's classic way to reset: pulse the keyboard controller's line 0 */
#define RESET_PULSE   0xfe

static void halt_for_ever(void) __attribute__((noreturn));

static void halt_for_ever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

void power_off(unsigned status)
{
    console_flush();
    out32(EXIT_PORT, status);
    halt_for_ever(); /* no such port on this machine: a halt that nothing interrupts is the next best */
}

void power_reset(void)
{
    console_flush();
    out8(KEYBOARD_PORT, RESET_PULSE);
    halt_for_ever();
}
