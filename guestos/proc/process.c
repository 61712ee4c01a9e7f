/* Processes: the table, birth and death. */
#include "clock.h"
#include "cpu.h"
#include "errno.h"
#include "heap.h"
#include "paging.h"
#include "printk.h"
#include "process.h"
#include "string.h"
#include "syscall.h"
#include "user.h"

#define PID_MAX 32768

struct spinlock process_lock;
struct list processes = LIST_INIT(processes);
struct process *init_process;
static unsigned process_count;

struct process *process_find(int pid)
{
    list_for_each (link, &processes) {
        struct process *process = list_entry(link, struct process, all);
        if (process->pid == pid)
            return process;
    }
    return NULL;
}

/* A number that no process has. With process_lock held. */
static int new_pid(void)
{
    static int last;

    do
        last = last % PID_MAX + 1;
    while (process_find(last));
    return last;
}

/* Enter the table. Returns 0 or -EAGAIN. */
static int enlist(struct process *process, struct process *parent)
{
    int error = -EAGAIN;

    spin_lock(&process_lock);
    if (process_count < PROCESSES_MAX) {
        process_count++;
        process->pid = new_pid();
        process->parent = parent;
        process->pgid = parent ? parent->pgid : process->pid;
        process->sid = parent ? parent->sid : process->pid;
        list_add_before(&processes, &process->all);
        if (parent)
            list_add_before(&parent->children, &process->sibling);
        error = 0;
    }
    spin_unlock(&process_lock);
    return error;
}

void process_delist(struct process *process)
{
    process_count--;
    list_del(&process->all);
    list_del(&process->sibling);
}

void process_free(struct process *process)
{
    kfree(process->arguments);
    kfree(process->program);
    kfree(process);
}

struct process *process_create(struct process *parent, void (*entry)(void *process))
{
    struct process *process = kmalloc(sizeof(*process));

    if (!process)
        return NULL;
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->all);
    wait_queue_init(&process->child_changed);
    wait_queue_init(&process->vfork_done);
    process->umask = 022;
    process->started = clock_ns();
    process->signals.stack.flags = SS_DISABLE;
    fpu_initial(process->fpu);
    process->thread = thread_create("process", entry, process);
    if (!process->thread) {
        process_free(process);
        return NULL;
    }
    process->thread->process = process;
    process->thread->switch_in = process_switch_in;
    process->thread->switch_out = process_switch_out;
    if (enlist(process, parent) != 0) {
        thread_discard(process->thread);
        process_free(process);
        return NULL;
    }
    return process;
}

void process_discard(struct process *process)
{
    spin_lock(&process_lock);
    process_delist(process);
    spin_unlock(&process_lock);
    thread_discard(process->thread);
    process_free(process);
}

void process_enter(void *arg)
{
    struct process *process = arg;
    struct trapframe frame = process->start; /* on our own stack: trap_return takes it from there */

    if (process->set_tid)
        copy_to_user(process->set_tid, &process->pid, sizeof(process->pid));
    irq_disable();
    trap_leave(&frame);
    trap_return(&frame);
}

void process_switch_in(struct thread *thread)
{
    fpu_load(thread->process->fpu);
    write_msr(MSR_FS_BASE, thread->process->fs_base);
}

void process_switch_out(struct thread *thread)
{
    fpu_save(thread->process->fpu);
}

void vfork_release(struct process *process)
{
    struct process *parent = process->vfork_parent;

    if (!parent)
        return;
    process->vfork_parent = NULL;
    parent->vfork_waits = false; /* it cannot have ended: it waits for just this */
    wake_all(&parent->vfork_done);
}

/* Give back everything but the entry in the table. */
static void release_resources(struct process *process)
{
    uint32_t zero = 0;

    if (process->clear_tid)
        copy_to_user(process->clear_tid, &zero, sizeof(zero));
    files_close(process->files);
    vnode_put(process->cwd);

    struct address_space *vm = process->vm;
    spin_lock(&process_lock);
    process->vm = NULL; /* ps looks at it */
    spin_unlock(&process_lock);
    current_thread()->pml4 = kernel_pml4;
    write_cr3(kernel_pml4);
    vm_put(vm);
    vfork_release(process);
}

/* Children of the dead belong to init. With process_lock held. */
static void give_children_to_init(struct process *process)
{
    list_for_each (link, &process->children) {
        struct process *child = list_entry(link, struct process, sibling);
        list_del(&child->sibling);
        list_add_before(&init_process->children, &child->sibling);
        child->parent = init_process;
    }
    wake_all(&init_process->child_changed); /* some of them may have ended already */
}

static bool wants_no_zombies(const struct process *parent)
{
    const struct sigaction *action = &parent->signals.actions[SIGCHLD - 1];

    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

static struct signal_cause cause_of_death(const struct process *process)
{
    int signal = process->wait_status & 0x7f;

    return (struct signal_cause){
        .code = signal ? CLD_KILLED : CLD_EXITED,
        .pid = process->pid,
        .status = signal ? signal : process->wait_status >> 8,
    };
}

/* Become a zombie, or vanish if the parent does not want to know. */
static void become_zombie(struct process *process, int wait_status)
{
    struct thread *thread = process->thread;
    struct process *parent = process->parent;

    spin_lock(&process_lock);
    thread->switch_in = thread->switch_out = NULL;
    thread->process = NULL;
    process->children_ticks += thread->ticks;
    process->thread = NULL;
    process->zombie = true;
    process->wait_status = wait_status;
    stop_orphan(process);
    give_children_to_init(process);
    parent = process->parent;
    bool vanish = wants_no_zombies(parent);
    if (vanish)
        process_delist(process);
    signal_send_locked(parent, SIGCHLD, cause_of_death(process));
    wake_all(&parent->child_changed);
    spin_unlock(&process_lock);
    if (vanish)
        process_free(process);
}

void process_exit(int wait_status)
{
    struct process *process = current_process();
    int signal = wait_status & 0x7f;

    if (process->watched)
        syscall_watcher->died(process, wait_status);
    if (process == init_process)
        power_off(signal ? 128 + signal : wait_status >> 8 & 0xff);
    release_resources(process);
    become_zombie(process, wait_status);
    thread_exit();
}

static ssize_t sys_exit(int status)
{
    process_exit((status & 0xff) << 8);
}

SYSCALL(60, sys_exit);

/* Moss has one thread in each process, so that the end of a thread is the end of its process. */
static ssize_t sys_exit_group(int status)
{
    process_exit((status & 0xff) << 8);
}

SYSCALL(231, sys_exit_group);
