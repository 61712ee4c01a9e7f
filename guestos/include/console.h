/* Where kernel and programs print, and where typed bytes come from. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "types.h"

/* A device that can be the console. The one registered last is used. */
struct console {
    const char *name;
    void (*write)(const char *bytes, size_t n);
    /* Bytes that console_input() refused may be offered again: there is room now. May be NULL. */
    void (*resume_input)(void);
};

void console_register(const struct console *console);

/* Write n bytes to the console, as they are. */
void console_write(const char *bytes, size_t n);

#define CONSOLE_EOF -1 /* the other side has closed: no input will follow */

/*
 * A console driver hands over one received byte, or CONSOLE_EOF. Returns false if there is no room: the
 * driver keeps the byte where it is (so that the sender waits; nothing is lost) until resume_input() is
 * called.
 */
bool console_input(int byte);

/* Who takes the input. Called by the terminal driver; without one, input waits in the device. */
void console_set_reader(bool (*take)(int byte));
void console_resume_input(void);

#endif
