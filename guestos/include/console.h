/* Where kernel and programs print, and where typed bytes come from. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "types.h"

/* A device that can be the console. The one registered last is used. All but write may be NULL. */
struct console {
    const char *name;
    void (*write)(const char *bytes, size_t n); /* from anywhere: it must not sleep */
    /* Bytes that console_input() refused may be offered again: there is room now. */
    void (*resume_input)(void);
    bool (*write_sleeping)(const char *bytes, size_t n, bool more); /* see console_write_sleeping() */
    void (*flush)(void);                                            /* see console_flush() */
    /* The kernel panics: from now on write() must rely on no lock, whoever holds it. */
    void (*panic)(void);
};

void console_register(const struct console *console);

/* The device cannot be the console any more; the one registered before it is again. */
void console_unregister(const struct console *console);

/* Write n bytes to the console, as they are. From anywhere, so it cannot wait for long: a device that takes
 * nothing loses them. */
void console_write(const char *bytes, size_t n);

#define CONSOLE_CHUNK 256 /* the most that console_write_sleeping() takes at once */

/*
 * The same for a thread that may sleep, which it does until there is room for all n bytes. With `more`,
 * others follow at once, and these need not be sent before them. Returns false, with none of them taken, if a
 * signal came first.
 */
bool console_write_sleeping(const char *bytes, size_t n, bool more);

/* Wait, without sleeping, until everything that was written has left the machine. */
void console_flush(void);

/* The kernel panics: what is written from now on must get out whatever state the console is in. */
void console_panic(void);

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

/* The screen at the other side has this many characters: called by the console driver, from interrupts too.
 */
void console_resized(unsigned rows, unsigned columns);

/* Who is told of that. Called by the terminal driver; a size that came earlier is told at once. */
void console_on_resize(void (*tell)(unsigned rows, unsigned columns));

#endif
