/* Where Moss begins: the table of contents of the kernel, the same at every step. */
#include "boot.h"
#include "cpu.h"
#include "init.h"
#include "printk.h"

extern const struct init_call __start_inits[], __stop_inits[];

/* Called by boot/entry.S on the boot stack, interrupts off. From here on the boot thread only idles. */
void kmain(uint64_t start_info)
{
    cpu_init(0);
    boot_read(start_info);
    for (const struct init_call *init = __start_inits; init < __stop_inits; init++)
        init->call();
    for (;;)
        __asm__ volatile("hlt");
}
