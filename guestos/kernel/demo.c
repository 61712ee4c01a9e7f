/*
 * Deaths to look at: the option demo=NAME makes the kernel do one thing that it must not, so that a learner
 * sees what the panic, or the hypervisor's post-mortem, has to say about it.
 */
#include "boot.h"
#include "init.h"
#include "layout.h"
#include "printk.h"
#include "string.h"

extern char kernel_start[];

static void write_null(void)
{
    *(volatile int *)NULL = 1;
}

static void write_code(void)
{
    *(volatile char *)kernel_start = 0;
}

static void execute_data(void)
{
    static uint8_t code[] = {0xc3}; /* ret */

    ((void (*)(void))code)();
}

static int overflow_stack(volatile int depth)
{
    return depth < 0 ? 0
                     : overflow_stack(depth + 1) + depth; /* not a tail call: each level needs its frame */
}

static void overflow(void)
{
    overflow_stack(0);
}

/* With no way to tell of a fault, the CPU gives up: a triple fault. */
static void lose_idt(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none = {0, 0};

    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void demo(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } demos[] = {
        {"null", write_null},   {"write-code", write_code}, {"execute-data", execute_data},
        {"overflow", overflow}, {"lose-idt", lose_idt},
    };
    const char *wanted = boot_option("demo", 0);

    for (unsigned i = 0; wanted && i < ARRAY_SIZE(demos); i++) {
        if (strncmp(wanted, demos[i].name, strlen(demos[i].name)) != 0)
            continue;
        warn("demo: %s\r\n", demos[i].name);
        demos[i].run();
    }
}

INIT(INIT_DRIVERS, demo);
