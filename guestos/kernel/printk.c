/* Kernel messages, and panic. */
#include "boot.h"
#include "console.h"
#include "cpu.h"
#include "ksyms.h"
#include "layout.h"
#include "printk.h"
#include "string.h"

#define BACKTRACE_MAX 24

static struct spinlock print_lock;

static void print_line(const char *fmt, va_list args)
{
    char line[256];
    int n = vformat(line, sizeof(line), fmt, args);

    console_write(line, MIN((size_t)n, sizeof(line) - 1));
}

void printk(const char *fmt, ...)
{
    va_list args;

    if (boot_flag("quiet") || boot_flag("notty")) /* who reads from a pipe wants the programs' output only */
        return;
    va_start(args, fmt);
    spin_lock(&print_lock);
    print_line(fmt, args);
    spin_unlock(&print_lock);
    va_end(args);
}

void warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    spin_lock(&print_lock);
    print_line(fmt, args);
    spin_unlock(&print_lock);
    va_end(args);
}

static void print_frame(uint64_t rip)
{
    char name[64];

    symbol_name(rip, name, sizeof(name));
    warn("  %016lx %s\r\n", rip, name);
}

void print_backtrace(uint64_t rip, uint64_t rbp)
{
    print_frame(rip);
    for (int i = 0; i < BACKTRACE_MAX; i++) {
        /* A frame pointer is the address of two words on a kernel stack: the caller's RBP and the return
         * address. */
        if (rbp < MAP_BASE || rbp % 8)
            return;
        const uint64_t *frame = (const uint64_t *)rbp;
        if (!frame[1] || frame[0] <= rbp) /* stacks grow down: the caller's frame is above */
            return;
        print_frame(frame[1] - 1); /* of the call, not of what follows it */
        rbp = frame[0];
    }
}

void panic(const char *fmt, ...)
{
    static bool panicking;
    va_list args;

    irq_disable();
    if (__atomic_exchange_n(&panicking, true, __ATOMIC_RELAXED))
        power_off(255);        /* a panic while panicking: printing more would only repeat it */
    print_lock.locked = false; /* its holder may be the one that panics */
    warn("\r\nMoss panics: ");
    va_start(args, fmt);
    print_line(fmt, args);
    va_end(args);
    warn("\r\nCalled by:\r\n");
    print_backtrace((uint64_t)__builtin_return_address(0), (uint64_t)__builtin_frame_address(0));
    power_off(255);
}
