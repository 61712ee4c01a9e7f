/* Processes. */
#ifndef PROCESS_H
#define PROCESS_H

#include "abi.h"
#include "thread.h"
#include "trap.h"
#include "vfs.h"
#include "vm.h"

#define FILES_MAX     256
#define PROCESSES_MAX 200
#define FPU_STATE     512 /* what FXSAVE writes */

struct open_files {
    struct file *file[FILES_MAX];
    bool close_on_exec[FILES_MAX];
};

/* Why a signal was sent. */
struct signal_cause {
    int code, pid, status;
    uint64_t address;
};

/* ITIMER_REAL, _VIRTUAL and _PROF: the first counts clock_ns(), the others the process's own running time. */
#define TIMERS 3

struct interval_timer {
    uint64_t deadline, interval; /* ns; 0: off */
};

struct signal_state {
    uint64_t pending, blocked; /* bit n-1 is signal n */
    uint64_t saved_blocked;    /* put back after sigsuspend's handler */
    bool restore_blocked;
    uint64_t awaited; /* these wake the process even if they are blocked: it waits for them */
    struct sigaction actions[SIGNALS];
    struct signal_cause causes[SIGNALS]; /* of the pending ones */
    struct sigaltstack stack;
};

struct process {
    int pid, pgid, sid;
    struct process *parent; /* process_lock guards the family, the state and signals of every process */
    struct list children, sibling, all;
    struct wait_queue child_changed; /* a child has ended, stopped or gone on */
    bool zombie;
    int wait_status;       /* of a zombie, as wait4 reports it */
    int stopped;           /* by this signal, until SIGCONT; 0: it runs */
    bool stop_news;        /* it has stopped, or gone on, and the parent has not asked yet */
    struct thread *thread; /* NULL once it is a zombie */
    struct address_space *vm;
    struct open_files *files;
    struct vnode *cwd;
    uint32_t umask;
    struct signal_state signals;
    struct trapframe *frame; /* the program's registers, while it is in the kernel */
    struct trapframe start;  /* the registers that a new process starts with */
    uint64_t fs_base;
    uint64_t clear_tid;   /* where to write 0 when it ends */
    uint64_t set_tid;     /* where a new process writes its own number first */
    uint64_t sleep_until; /* the deadline of an interrupted sleep that is about to start again; or 0 */
    struct process *vfork_parent; /* who lent us its memory, and waits until we exec or end; or NULL */
    bool vfork_waits;             /* we are that parent, and wait in vfork_done */
    struct wait_queue vfork_done;
    struct interval_timer timers[TIMERS];
    uint64_t started, children_ticks;
    char name[16];
    char *arguments; /* as ps shows them: zero-separated */
    size_t arguments_size;
    char *program;      /* the path that it was loaded from */
    void *watched;      /* by syscall_watcher; NULL: it is not */
    bool out_of_memory; /* chosen to end, so that others can go on */
    uint8_t fpu[FPU_STATE] __attribute__((aligned(16)));
};

extern struct spinlock process_lock;
extern struct list processes;
extern struct process *init_process;

static inline struct process *current_process(void)
{
    return current_thread()->process;
}

/* An empty process, a child of `parent` (NULL: of nobody), in the table but not running. NULL: too many, or
 * no memory. */
struct process *process_create(struct process *parent, void (*entry)(void *process));

/* Undo process_create for a process that never ran; forget one that has been waited for. */
void process_discard(struct process *process);
void process_free(struct process *process);

/* Take a zombie out of the table. With process_lock held. */
void process_delist(struct process *process);

/* The process with this number, or NULL. Call with process_lock held. */
struct process *process_find(int pid);

/* End the current process; wait_status as wait4 reports it (exit code << 8, or the signal's number). */
void process_exit(int wait_status) __attribute__((noreturn));

/* Enter the program with the registers in process->start; what a new process's thread does. */
void process_enter(void *process);

/* Load a program into the current process. Returns -errno, or 0: then process->frame is where the new program
 * starts. */
struct exec_args;
int process_exec(struct exec_args *args);

/* The current process has no memory of its parent's any more: let that go on. */
void vfork_release(struct process *process);

/* Switching: what else belongs to a process besides its kernel stack. */
void process_switch_in(struct thread *thread);
void process_switch_out(struct thread *thread);

/* Save and load the registers of the floating-point unit and SSE (FXSAVE area of FPU_STATE bytes). */
void fpu_save(void *state);
void fpu_load(const void *state);
void fpu_initial(void *state);

/*
 * Send a signal. Returns 0 or -EINVAL. The first form is for callers that hold process_lock. To a group:
 * -ESRCH if nobody is in it.
 */
int signal_send_locked(struct process *process, int signal, struct signal_cause cause);
int signal_send(struct process *process, int signal, struct signal_cause cause);
int signal_send_group(int pgid, int signal, struct signal_cause cause);

/* A fault of the current program itself: it cannot be blocked or ignored. */
void signal_fault(int signal, int code, uint64_t address);

/*
 * Job control (POSIX, "General Terminal Interface" and "Signal Concepts"). These are called with process_lock
 * held, but for stop_wait and terminal_read_allowed.
 */

/* The process is told to stop: it is now counted as stopped, unless the signal comes from a terminal and
 * nobody is there who could continue it. */
void stop_begin(struct process *process, int signal);

/* SIGCONT or SIGKILL: let it go on. */
void stop_end(struct process *process, int signal);

/* Where a stopped process spends its time. */
void stop_wait(struct process *process);

/* Before a parent ends: groups of stopped processes that nobody can continue any more are told so. */
void stop_orphan(struct process *parent);

/* May the current process read from the terminal of `session`? Returns 0, -EIO, or -ERESTARTSYS after it was
 * told to stop. */
int terminal_read_allowed(int session, int foreground);

/* After the set of blocked signals has changed. */
void signal_set_blocked(struct process *process, uint64_t blocked);

/* After exec: handlers are gone with the program that had them. */
void signal_reset_handlers(struct process *process);

/* Processes that run or want to, averaged over 1, 5 and 15 minutes, in units of 1/65536. Zero until somebody
 * measures. */
extern uint64_t load_averages[3];

/* File descriptors of the current process. */
struct file *fd_file(int fd);             /* with a reference, or NULL */
int fd_vnode(int fd, struct vnode **out); /* the file's node, with a reference; 0 or -EBADF */
int fd_install(struct file *file, int lowest,
               bool close_on_exec); /* takes the reference; the number or -EMFILE */
int fd_close(int fd);
struct open_files *files_fork(struct open_files *files);
void files_close(struct open_files *files);
void files_close_on_exec(struct open_files *files);

#endif
