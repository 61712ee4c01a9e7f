/* More of /proc: what top, mount, df, and C libraries read, in Linux's formats (proc(5)). */
#include "clock.h"
#include "cpu.h"
#include "frames.h"
#include "printk.h"
#include "process.h"
#include "procfs.h"
#include "string.h"

/* Processes, and those of them that run or want to. Called with process_lock held, as all that follow. */
static int count_processes(int *running)
{
    int count = 0;

    *running = 0;
    list_for_each (link, &processes) {
        const struct thread *thread = list_entry(link, struct process, all)->thread;
        *running += thread && thread->state == THREAD_READY;
        count++;
    }
    return count;
}

static int last_pid(void)
{
    int last = 0;

    list_for_each (link, &processes)
        last = MAX(last, list_entry(link, struct process, all)->pid);
    return last;
}

/* Ticks: all that found the idle thread are idle time, the others are counted as a program's. */
static int show_stat(struct process *p, char *to, size_t size)
{
    uint64_t idle = this_cpu()->idle->ticks;
    uint64_t used = this_cpu()->ticks - idle;
    int running, count = count_processes(&running);

    (void)p;
    return format(to, size,
                  "cpu  %lu 0 0 %lu 0 0 0 0 0 0\ncpu0 %lu 0 0 %lu 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime %lu\n"
                  "processes %d\nprocs_running %d\nprocs_blocked 0\n",
                  used, idle, used, idle, (clock_wall_ns() - clock_ns()) / NS_PER_SECOND,
                  MAX(count, last_pid()), running);
}

static int show_loadavg(struct process *p, char *to, size_t size)
{
    const uint64_t *load = load_averages;
    int running, count = count_processes(&running);

    (void)p;
    return format(to, size, "%lu.%02lu %lu.%02lu %lu.%02lu %d/%d %d\n", load[0] >> 16,
                  (load[0] & 0xffff) * 100 >> 16, load[1] >> 16, (load[1] & 0xffff) * 100 >> 16,
                  load[2] >> 16, (load[2] & 0xffff) * 100 >> 16, running, count, last_pid());
}

static int show_version(struct process *p, char *to, size_t size)
{
    (void)p;
    return format(to, size, "Moss version 6.1.0 (Terrarium)\n");
}

/* Which signals have this handler (SIG_IGN), or any that is a program's (SIG_DFL asks for those). */
static uint64_t signals_with(const struct process *p, uint64_t handler)
{
    uint64_t set = 0;

    for (int i = 0; i < SIGNALS; i++) {
        uint64_t its = p->signals.actions[i].handler;
        set |= (uint64_t)(handler == SIG_IGN ? its == SIG_IGN : its > SIG_IGN) << i;
    }
    return set;
}

static const char *state_of(const struct process *p)
{
    if (p->zombie)
        return "Z (zombie)";
    if (p->stopped)
        return "T (stopped)";
    return p->thread->state == THREAD_WAITING ? "S (sleeping)" : "R (running)";
}

static int show_status(struct process *p, char *to, size_t size)
{
    uint64_t kib = (p->vm ? p->vm->resident : 0) * (PAGE_SIZE / 1024);

    return format(
        to, size,
        "Name:\t%s\nUmask:\t%04x\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n"
        "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%d\nVmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%d\n"
        "SigPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
        p->name, (p->umask & 07) | (p->umask & 070) << 1 | (p->umask & 0700) << 2, state_of(p), p->pid,
        p->pid, p->parent ? p->parent->pid : 0, FILES_MAX, kib, kib, p->zombie ? 0 : 1, p->signals.pending,
        p->signals.blocked, signals_with(p, SIG_IGN), signals_with(p, SIG_DFL));
}

static int show_statm(struct process *p, char *to, size_t size)
{
    uint64_t pages = p->vm ? p->vm->resident : 0;

    return format(to, size, "%lu %lu 0 0 0 %lu 0\n", pages, pages, pages);
}

PROCFILE(total_stat, "stat", false, show_stat);
PROCFILE(loadavg, "loadavg", false, show_loadavg);
PROCFILE(version, "version", false, show_version);
PROCFILE(status, "status", true, show_status);
PROCFILE(statm, "statm", true, show_statm);
