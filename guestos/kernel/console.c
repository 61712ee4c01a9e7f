/* The console: the latest device registered as one, and whoever reads from it. */
#include "console.h"

static const struct console *active;
static bool (*reader)(int byte);

void console_register(const struct console *console)
{
    active = console;
}

void console_write(const char *bytes, size_t n)
{
    if (active)
        active->write(bytes, n);
}

bool console_input(int byte)
{
    return reader && reader(byte);
}

void console_set_reader(bool (*take)(int byte))
{
    reader = take;
    console_resume_input();
}

void console_resume_input(void)
{
    if (active && active->resume_input)
        active->resume_input();
}
