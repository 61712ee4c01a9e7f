/* Kernel threads, the scheduler, and waiting. */
#ifndef THREAD_H
#define THREAD_H

#include "cpu.h"
#include "list.h"
#include "spinlock.h"
#include "types.h"

#define STACK_PAGES 4

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_WAITING, THREAD_DEAD };

struct process;

struct thread {
    uint64_t rsp; /* while not running: where its registers are; used by kernel/switch.S */
    char *stack;  /* STACK_PAGES, with a guard page below; NULL for a CPU's first thread */
    char name[16];
    struct cpu *cpu; /* whose run queue it belongs to; that CPU's run_lock guards the next three */
    enum thread_state state;
    bool queued; /* is in the run queue */
    struct list run_link;
    struct list wait_link;  /* guarded by the lock of the queue that it waits in */
    struct list sleep_link; /* guarded by the sleepers' lock */
    uint64_t wake_at;
    bool interrupted;        /* it should give up an interruptible wait: a signal is there */
    uint64_t ticks;          /* that found it running */
    uint64_t pml4;           /* the page tables it runs with */
    struct process *process; /* NULL for a thread of the kernel */
    /* Called, interrupts off, when the thread gets or loses the CPU; may be NULL. */
    void (*switch_in)(struct thread *thread);
    void (*switch_out)(struct thread *thread);
};

static inline struct thread *current_thread(void)
{
    struct thread *thread;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(offsetof(struct cpu, current)));
    return thread;
}

/* Whoever wants to know of every switch from one thread to another; NULL: nobody. Called with interrupts off.
 */
extern void (*switch_watcher)(const struct thread *before, const struct thread *next);

/* Called before a CPU chooses what it runs next, by whoever can make threads ready without an interrupt. It
 * must not wait. NULL: nobody can. */
extern void (*before_choice)(void);

/* Has some CPU nothing to run, or will it have nothing when its current thread waits? Then only an interrupt
 * gets it out of that. */
bool some_cpu_rests(void);

/*
 * Make a thread that will call fn(arg), and end when that returns. It does not run before thread_start().
 * NULL: no memory.
 */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg);

/* Let a new thread run. Until then nothing wakes it, not even a signal. */
void thread_start(struct thread *thread);

/* Throw away a thread that has never been started. */
void thread_discard(struct thread *thread);

/* Let a waiting thread run. Harmless if it is not waiting. May be called from interrupts. */
void thread_wake(struct thread *thread);

/* As thread_wake, and an interruptible wait gives up. */
void thread_interrupt(struct thread *thread);

void thread_exit(void) __attribute__((noreturn));

/* Let others run. A thread that has prepared to wait does not come back before it is woken. */
void schedule(void);

/* Let the next thread run now, if the current one has had its turn. Interrupts are off. */
void preempt(void);

/* Threads wait in a queue until somebody wakes them to look again. */
struct wait_queue {
    struct spinlock lock;
    struct list waiters;
};

#define WAIT_QUEUE_INIT(queue)                                                                               \
    {                                                                                                        \
        .waiters = LIST_INIT((queue).waiters)                                                                \
    }

void wait_queue_init(struct wait_queue *queue);

/* Wake all who wait. */
void wake_all(struct wait_queue *queue);

/* Wake the threads whose deadline has passed; called at every tick. */
void wake_sleepers(void);

#define NEVER UINT64_MAX

/* The parts of wait_until: enter the queue; then look; then sleep or leave. */
void wait_prepare(struct wait_queue *queue, uint64_t deadline);
int wait_sleep(uint64_t deadline, bool interruptible);
void wait_finish(struct wait_queue *queue);

/*
 * Wait until the condition holds. Whoever makes it true calls wake_all(queue). Returns 0, -EINTR (only if
 * `interruptible`) or -ETIMEDOUT when clock_ns() has passed `deadline`.
 */
#define wait_until(queue, condition, deadline, interruptible)                                                \
    ({                                                                                                       \
        uint64_t wait_deadline = deadline; /* evaluated once: it may be a sum with the time of now */        \
        int wait_result = 0;                                                                                 \
        for (;;) {                                                                                           \
            wait_prepare(queue, wait_deadline);                                                              \
            if (condition)                                                                                   \
                break;                                                                                       \
            wait_result = wait_sleep(wait_deadline, interruptible);                                          \
            if (wait_result != 0)                                                                            \
                break;                                                                                       \
        }                                                                                                    \
        wait_finish(queue);                                                                                  \
        wait_result;                                                                                         \
    })

/* A lock for long work: who waits for it sleeps. Not for interrupt handlers. */
struct mutex {
    bool locked;
    struct wait_queue queue;
};

void mutex_init(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

#endif
