/* The console: the latest device registered as one, and whoever reads from it. */
#include "console.h"

#define CONSOLES_MAX 4

static const struct console *consoles[CONSOLES_MAX]; /* in the order in which they came; the last is used */
static unsigned console_count;
static bool (*reader)(int byte);
static void (*resize_watcher)(unsigned rows, unsigned columns);
static unsigned known_rows, known_columns; /* 0: not told yet */

static const struct console *active(void)
{
    unsigned count = __atomic_load_n(&console_count, __ATOMIC_ACQUIRE);

    return count ? consoles[count - 1] : NULL;
}

void console_register(const struct console *console)
{
    if (console_count == CONSOLES_MAX)
        return;
    consoles[console_count] = console;
    __atomic_store_n(&console_count, console_count + 1, __ATOMIC_RELEASE);
    console_resume_input();
}

void console_unregister(const struct console *console)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < console_count; i++)
        if (consoles[i] != console)
            consoles[kept++] = consoles[i];
    __atomic_store_n(&console_count, kept, __ATOMIC_RELEASE);
}

void console_write(const char *bytes, size_t n)
{
    const struct console *console = active();

    if (console)
        console->write(bytes, n);
}

bool console_write_sleeping(const char *bytes, size_t n, bool more)
{
    const struct console *console = active();

    if (console && console->write_sleeping)
        return console->write_sleeping(bytes, n, more);
    console_write(bytes, n);
    return true;
}

void console_flush(void)
{
    const struct console *console = active();

    if (console && console->flush)
        console->flush();
}

void console_panic(void)
{
    const struct console *console = active();

    if (console && console->panic)
        console->panic();
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

/* Of all devices, the oldest first: one that is the console no more may have bytes that came while it was. */
void console_resume_input(void)
{
    unsigned count = __atomic_load_n(&console_count, __ATOMIC_ACQUIRE);

    for (unsigned i = 0; i < count; i++)
        if (consoles[i]->resume_input)
            consoles[i]->resume_input();
}

void console_resized(unsigned rows, unsigned columns)
{
    known_rows = rows;
    known_columns = columns;
    if (resize_watcher && rows && columns)
        resize_watcher(rows, columns);
}

void console_on_resize(void (*tell)(unsigned rows, unsigned columns))
{
    resize_watcher = tell;
    console_resized(known_rows, known_columns);
}
