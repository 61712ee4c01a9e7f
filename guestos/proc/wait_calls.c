/* System calls that wait for children: to end, to stop, to go on. */
#include "errno.h"
#include "process.h"
#include "syscall.h"
#include "user.h"

#define STATUS_CONTINUED 0xffff
#define CHILD_KINDS      0xe0000000 /* __WCLONE and its relatives; here all children are of one kind */

/* Whom a call waits for, and what for (WEXITED, WUNTRACED, WCONTINUED, WNOHANG, WNOWAIT). */
struct wish {
    int kind, id; /* P_PID, P_PGID or P_ALL */
    uint32_t options;
};

/* What it got: status as wait4 reports it. pid 0: nothing yet. */
struct news {
    int pid, status;
};

static bool matches(const struct process *child, const struct wish *wish)
{
    return wish->kind == P_ALL || (wish->kind == P_PID ? child->pid : child->pgid) == wish->id;
}

/* Has the child something to tell that is wished for? */
static bool has_news(const struct process *child, const struct wish *wish, int *status)
{
    if (child->zombie) {
        *status = child->wait_status;
        return wish->options & WEXITED;
    }
    *status = child->stopped ? child->stopped << 8 | 0x7f : STATUS_CONTINUED;
    return child->stop_news && (wish->options & (child->stopped ? WUNTRACED : WCONTINUED));
}

/* The child's news have been heard. Returns it if it is to be freed. With process_lock held. */
static struct process *settle(struct process *process, struct process *child)
{
    child->stop_news = false;
    if (!child->zombie)
        return NULL;
    process->children_ticks += child->children_ticks;
    process_delist(child);
    return child;
}

/* Look once. Returns -ECHILD if there is nobody to wait for, 0 if there is no news, 1 if there is. */
static int look(const struct wish *wish, struct news *news)
{
    struct process *process = current_process(), *dead = NULL;
    int result = -ECHILD;

    spin_lock(&process_lock);
    list_for_each (link, &process->children) {
        struct process *child = list_entry(link, struct process, sibling);
        if (result == 1 || !matches(child, wish))
            continue;
        result = has_news(child, wish, &news->status);
        news->pid = result ? child->pid : 0;
        if (result && !(wish->options & WNOWAIT))
            dead = settle(process, child);
    }
    spin_unlock(&process_lock);
    if (dead)
        process_free(dead);
    return result;
}

/* Returns 0 or -errno; news->pid is 0 if WNOHANG was wished for and there was nothing. */
static int wait_for(const struct wish *wish, struct news *news)
{
    int result = look(wish, news);

    if (result == 0 && !(wish->options & WNOHANG) &&
        wait_until(&current_process()->child_changed, (result = look(wish, news)) != 0, NEVER, true) != 0)
        return -ERESTARTSYS;
    if (result <= 0)
        news->pid = 0;
    return MIN(result, 0);
}

static ssize_t sys_wait4(int pid, uint64_t user_status, uint32_t options, uint64_t user_usage)
{
    struct wish wish = {P_PGID, -pid, options | WEXITED};
    struct news news;

    if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | CHILD_KINDS)) != 0)
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == -1)
        wish.kind = P_ALL;
    else if (pid == 0)
        wish.id = current_process()->pgid;
    else if (pid > 0)
        wish = (struct wish){P_PID, pid, options | WEXITED};
    int error = wait_for(&wish, &news);
    if (error || news.pid == 0)
        return error;
    if (user_status && copy_to_user(user_status, &news.status, sizeof(news.status)) != 0)
        return -EFAULT;
    if (user_usage && clear_user(user_usage, sizeof(struct rusage)) != 0)
        return -EFAULT;
    return news.pid;
}

/* The same news as siginfo tells them. */
static struct siginfo info_of(const struct news *news)
{
    struct siginfo info = {.signo = news->pid ? SIGCHLD : 0};
    int status = news->status;

    if (!news->pid)
        return info;
    info.from.pid = news->pid;
    info.from.status = status >> 8;
    info.code = CLD_EXITED;
    if (status == STATUS_CONTINUED) {
        info.code = CLD_CONTINUED;
        info.from.status = SIGCONT;
    } else if ((status & 0x7f) == 0x7f) {
        info.code = CLD_STOPPED;
    } else if (status & 0x7f) {
        info.code = CLD_KILLED;
        info.from.status = status & 0x7f;
    }
    return info;
}

static ssize_t sys_waitid(int kind, int id, uint64_t user_info, uint32_t options, uint64_t user_usage)
{
    const uint32_t states = WEXITED | WUNTRACED | WCONTINUED;
    struct wish wish = {kind, kind == P_PGID && !id ? current_process()->pgid : id, options};
    struct news news;

    if ((options & ~(states | WNOHANG | WNOWAIT | CHILD_KINDS)) || !(options & states) || kind < P_ALL ||
        kind > P_PGID || (kind != P_ALL && id < (kind == P_PID)))
        return -EINVAL;
    int error = wait_for(&wish, &news);
    if (error)
        return error;
    struct siginfo info = info_of(&news);
    if (user_info && copy_to_user(user_info, &info, sizeof(info)) != 0)
        return -EFAULT;
    if (user_usage && news.pid && clear_user(user_usage, sizeof(struct rusage)) != 0)
        return -EFAULT;
    return 0;
}

SYSCALL(61, sys_wait4);
SYSCALL(247, sys_waitid);
