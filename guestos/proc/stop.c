/* Job control: processes that a signal has stopped, until another lets them go on (POSIX, "Signal Concepts").
 */
#include "errno.h"
#include "process.h"

#define BIT(signal) (1ul << ((signal)-1))

static struct wait_queue stopped = WAIT_QUEUE_INIT(stopped);

/* Has the group nobody who could continue it: a member whose parent is in the same session, but another
 * group? `ending` is such a parent no more. */
static bool group_is_orphaned(int pgid, const struct process *ending)
{
    list_for_each (link, &processes) {
        const struct process *p = list_entry(link, struct process, all), *parent = p->parent;
        if (p->pgid == pgid && !p->zombie && parent && parent != ending && parent->sid == p->sid &&
            parent->pgid != pgid)
            return false;
    }
    return true;
}

static bool group_has_stopped(int pgid)
{
    list_for_each (link, &processes) {
        const struct process *p = list_entry(link, struct process, all);
        if (p->pgid == pgid && p->stopped)
            return true;
    }
    return false;
}

static void tell_parent(struct process *process, int code, int status)
{
    struct process *parent = process->parent;

    process->stop_news = true;
    if (!parent)
        return;
    if (!(parent->signals.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
        signal_send_locked(parent, SIGCHLD, (struct signal_cause){code, process->pid, status, 0});
    wake_all(&parent->child_changed);
}

void stop_begin(struct process *process, int signal)
{
    if (signal != SIGSTOP && group_is_orphaned(process->pgid, NULL))
        return;
    process->stopped = signal;
    tell_parent(process, CLD_STOPPED, signal);
}

void stop_end(struct process *process, int signal)
{
    if (!process->stopped)
        return;
    process->stopped = 0;
    if (signal == SIGCONT)
        tell_parent(process, CLD_CONTINUED, SIGCONT);
    wake_all(&stopped);
}

void stop_wait(struct process *process)
{
    wait_until(&stopped, !process->stopped, NEVER, false);
}

static void signal_group(int pgid, int signal)
{
    list_for_each (link, &processes) {
        struct process *p = list_entry(link, struct process, all);
        if (p->pgid == pgid)
            signal_send_locked(p, signal, (struct signal_cause){.code = SI_KERNEL});
    }
}

void stop_orphan(struct process *parent)
{
    list_for_each (link, &parent->children) {
        int pgid = list_entry(link, struct process, sibling)->pgid;
        if (pgid != parent->pgid && group_has_stopped(pgid) && group_is_orphaned(pgid, parent)) {
            signal_group(pgid, SIGHUP);
            signal_group(pgid, SIGCONT);
        }
    }
}

int terminal_read_allowed(int session, int foreground)
{
    struct process *self = current_process();
    int error = 0;

    spin_lock(&process_lock);
    if (self->sid == session && self->pgid != foreground) {
        bool refused = (self->signals.blocked & BIT(SIGTTIN)) ||
                       self->signals.actions[SIGTTIN - 1].handler == SIG_IGN ||
                       group_is_orphaned(self->pgid, NULL);
        error = refused ? -EIO : -ERESTARTSYS;
        if (!refused)
            signal_group(self->pgid, SIGTTIN);
    }
    spin_unlock(&process_lock);
    return error;
}
