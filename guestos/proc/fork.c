/* fork, vfork, and as much of clone as makes processes. */
#include "cpu.h"
#include "errno.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"

#define SIGNAL_MASK 0xff /* the low byte of clone's flags: what the parent gets when the child ends */

struct clone_args {
    uint64_t flags, stack, parent_tid, child_tid, tls;
};

/* What a child has in common with its parent. Returns 0 or -ENOMEM; what was made is then in the child all
 * the same. */
static int copy_process(struct process *child, struct process *parent, const struct clone_args *args)
{
    child->vm = args->flags & CLONE_VM ? vm_share(parent->vm) : vm_fork(parent->vm);
    child->files = files_fork(parent->files);
    child->cwd = vnode_get(parent->cwd);
    child->umask = parent->umask;
    child->signals = parent->signals;
    child->signals.pending = 0;
    child->fs_base = args->flags & CLONE_SETTLS ? args->tls : parent->fs_base;
    child->start = *parent->frame;
    child->start.rax = 0;
    if (args->stack)
        child->start.rsp = args->stack;
    if (args->flags & CLONE_CHILD_CLEARTID)
        child->clear_tid = args->child_tid;
    fpu_save(child->fpu);
    strcopy(child->name, parent->name, sizeof(child->name));
    child->arguments = kmalloc(parent->arguments_size + 1);
    child->program = parent->program ? kstrdup(parent->program) : NULL;
    if (!child->vm || !child->files || !child->arguments)
        return -ENOMEM;
    memcpy(child->arguments, parent->arguments, parent->arguments_size);
    child->arguments_size = parent->arguments_size;
    child->thread->pml4 = child->vm->pml4;
    strcopy(child->thread->name, child->name, sizeof(child->thread->name));
    return 0;
}

static void discard_child(struct process *child)
{
    if (child->vm)
        vm_put(child->vm);
    if (child->files)
        files_close(child->files);
    vnode_put(child->cwd);
    process_discard(child);
}

/* Let the child run. Between vfork and its exec or end, the parent must not: they use the same stack. */
static void start_child(struct process *child, bool vfork)
{
    if (!vfork) {
        thread_start(child->thread);
        return;
    }
    struct wait_queue *done = &current_process()->vfork_done; /* the child may be gone when we look */
    child->vfork_parent = current_process();
    current_process()->vfork_waits = true;
    thread_start(child->thread);
    wait_until(done, !current_process()->vfork_waits, NEVER, false);
}

static ssize_t do_clone(const struct clone_args *args)
{
    struct process *parent = current_process();
    const uint64_t known = SIGNAL_MASK | CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID |
                           CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

    if ((args->flags & ~known) || ((args->flags & CLONE_VM) && !(args->flags & CLONE_VFORK)))
        return -EINVAL; /* threads: Moss has none */
    struct process *child = process_create(parent, process_enter);
    if (!child)
        return -EAGAIN;
    int error = copy_process(child, parent, args), pid = child->pid;
    if (error == 0 && (args->flags & CLONE_PARENT_SETTID))
        error = copy_to_user(args->parent_tid, &pid, sizeof(pid));
    if (error) {
        discard_child(child);
        return error;
    }
    if (syscall_watcher)
        syscall_watcher->born(child, parent);
    child->set_tid = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
    start_child(child, args->flags & CLONE_VFORK);
    return pid;
}

static ssize_t sys_clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid,
                         uint64_t tls)
{
    return do_clone(&(struct clone_args){flags, stack, parent_tid, child_tid, tls});
}

static ssize_t sys_fork(void)
{
    return do_clone(&(struct clone_args){.flags = SIGCHLD});
}

static ssize_t sys_vfork(void)
{
    return do_clone(&(struct clone_args){.flags = CLONE_VM | CLONE_VFORK | SIGCHLD});
}

SYSCALL(56, sys_clone);
SYSCALL(57, sys_fork);
SYSCALL(58, sys_vfork);
