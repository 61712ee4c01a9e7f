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

/* Who pipes input into the programs of an initrd wants their output only. */
static bool quiet(void)
{
    return boot_flag("quiet") || (boot_flag("notty") && boot.initrd.end > boot.initrd.start);
}

void printk(const char *fmt, ...)
{
    va_list args;

    if (quiet())
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

static void print_frame(uint64_t rip, unsigned times)
{
    char name[64];

    symbol_name(rip, name, sizeof(name));
    if (times > 1)
        warn("  %016lx %s, %u times\r\n", rip, name, times);
    else
        warn("  %016lx %s\r\n", rip, name);
}

/* The return address in the frame at rbp, or 0 if there is no frame. *rbp becomes the caller's. */
static uint64_t next_frame(uint64_t *rbp)
{
    const uint64_t *frame = (const uint64_t *)*rbp;

    /* A frame pointer is the address of two words on a kernel stack: the caller's RBP and the return address.
     */
    if (*rbp < MAP_BASE || *rbp % 8 || !frame[1])
        return 0;
    *rbp = frame[0] > *rbp ? frame[0] : 0; /* stacks grow down: the caller's frame is above */
    return frame[1] - 1;                   /* of the call, not of what follows it */
}

void print_backtrace(uint64_t rip, uint64_t rbp)
{
    for (int lines = 0; rip && lines < BACKTRACE_MAX; lines++) {
        unsigned times = 1;
        uint64_t next;
        while ((next = next_frame(&rbp)) == rip)
            times++;
        print_frame(rip, times);
        rip = next;
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
    console_panic();
    warn("\r\nMoss panics: ");
    va_start(args, fmt);
    print_line(fmt, args);
    va_end(args);
    warn("\r\nCalled by:\r\n");
    uint64_t rbp = (uint64_t)__builtin_frame_address(0), caller = next_frame(&rbp);
    print_backtrace(caller, rbp);
    power_off(255);
}
