/* Port 0xE9: one byte out, no state, no waiting. The first console, until a real one is found. */
#include "console.h"
#include "init.h"
#include "io.h"

#define DEBUG_PORT 0xe9

static void debugcon_write(const char *bytes, size_t n)
{
    out8_many(DEBUG_PORT, bytes, n);
}

static void debugcon_init(void)
{
    static const struct console console = {.name = "debug port", .write = debugcon_write};

    console_register(&console);
}

INIT(INIT_CONSOLE, debugcon_init);
