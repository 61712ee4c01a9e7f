/* The first line that Moss prints. */
#include "boot.h"
#include "init.h"
#include "printk.h"

static void banner(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < boot.ram_count; i++)
        bytes += boot.ram[i].end - boot.ram[i].start;
    printk("Moss: %lu MiB of memory, command line \"%s\"\r\n", bytes >> 20, boot.command_line);
}

INIT(INIT_TRAPS, banner);
