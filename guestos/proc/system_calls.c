/* System calls about the whole system: its name, its memory, random numbers, its end. */
#include "clock.h"
#include "errno.h"
#include "frames.h"
#include "layout.h"
#include "printk.h"
#include "process.h"
#include "random.h"
#include "string.h"
#include "syscall.h"
#include "user.h"

/* reboot(2) */
#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_MAGIC2    672274793
#define REBOOT_RESTART   0x01234567
#define REBOOT_HALT      0xcdef0123
#define REBOOT_POWER_OFF 0x4321fedc
#define REBOOT_CAD_ON    0x89abcdef
#define REBOOT_CAD_OFF   0

static ssize_t sys_uname(uint64_t to)
{
    static const struct utsname name = {
        .sysname = "Moss",
        .nodename = "moss",
        .release = "6.1.0", /* whose system calls these are: C libraries refuse what looks too old */
        .version = "Terrarium",
        .machine = "x86_64",
        .domain = "(none)",
    };

    return copy_to_user(to, &name, sizeof(name));
}

static uint16_t count_processes(void)
{
    uint16_t count = 0;

    spin_lock(&process_lock);
    list_for_each (link, &processes)
        count++;
    spin_unlock(&process_lock);
    return count;
}

uint64_t load_averages[3];

static ssize_t sys_sysinfo(uint64_t to)
{
    struct sysinfo info = {
        .uptime = clock_ns() / NS_PER_SECOND,
        .loads = {load_averages[0], load_averages[1], load_averages[2]},
        .totalram = frames_total() * PAGE_SIZE,
        .freeram = frames_free() * PAGE_SIZE,
        .procs = count_processes(),
        .unit = 1,
    };

    return copy_to_user(to, &info, sizeof(info));
}

static ssize_t sys_getrandom(uint64_t to, size_t n, uint32_t flags)
{
    uint8_t bytes[64];
    size_t done = 0;

    if (flags & ~7u)
        return -EINVAL;
    if (!user_range(to, n))
        return -EFAULT;
    while (done < n) {
        size_t part = MIN(n - done, sizeof(bytes));
        random_fill(bytes, part);
        if (copy_to_user(to + done, bytes, part) != 0)
            return done ? (ssize_t)done : -EFAULT;
        done += part;
    }
    return done;
}

/* Moss adds to Linux's call: the last argument of a power-off, which Linux ignores, is the status that the
 * machine ends with. */
static ssize_t sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command, uint64_t status)
{
    if (magic1 != REBOOT_MAGIC1 || magic2 != REBOOT_MAGIC2)
        return -EINVAL;
    switch (command) {
    case REBOOT_RESTART:
        power_reset();
    case REBOOT_HALT:
    case REBOOT_POWER_OFF:
        power_off(status & 0xff);
    case REBOOT_CAD_ON:
    case REBOOT_CAD_OFF:
        return 0; /* no Ctrl-Alt-Del here */
    default:
        return -EINVAL;
    }
}

SYSCALL(63, sys_uname);
SYSCALL(99, sys_sysinfo);
SYSCALL(169, sys_reboot);
SYSCALL(318, sys_getrandom);
