/* Waiting: queues, deadlines, and the lock that sleeps. */
#include "clock.h"
#include "errno.h"
#include "thread.h"

static struct list sleepers = LIST_INIT(sleepers); /* threads with a deadline */
static struct spinlock sleep_lock;                 /* guards sleepers */

void wake_sleepers(void)
{
    uint64_t now = clock_ns();

    spin_lock(&sleep_lock);
    list_for_each (link, &sleepers) {
        struct thread *thread = list_entry(link, struct thread, sleep_link);
        if (thread->wake_at <= now) {
            list_del(&thread->sleep_link);
            thread_wake(thread);
        }
    }
    spin_unlock(&sleep_lock);
}

static void set_waiting(bool waiting)
{
    struct thread *thread = current_thread();
    struct cpu *cpu = thread->cpu;

    spin_lock(&cpu->run_lock);
    thread->state = waiting ? THREAD_WAITING : THREAD_READY;
    spin_unlock(&cpu->run_lock);
}

void wait_queue_init(struct wait_queue *queue)
{
    queue->lock = (struct spinlock){0};
    list_init(&queue->waiters);
}

void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    if (list_empty(&thread->wait_link))
        list_add_before(&queue->waiters, &thread->wait_link);
    set_waiting(true);
    spin_unlock(&queue->lock);
    if (deadline == NEVER)
        return;
    spin_lock(&sleep_lock);
    thread->wake_at = deadline;
    if (list_empty(&thread->sleep_link))
        list_add_before(&sleepers, &thread->sleep_link);
    spin_unlock(&sleep_lock);
}

int wait_sleep(uint64_t deadline, bool interruptible)
{
    if (interruptible && __atomic_load_n(&current_thread()->interrupted, __ATOMIC_SEQ_CST))
        return -EINTR;
    if (deadline != NEVER && clock_ns() >= deadline)
        return -ETIMEDOUT;
    schedule();
    return 0;
}

void wait_finish(struct wait_queue *queue)
{
    struct thread *thread = current_thread();

    spin_lock(&queue->lock);
    list_del(&thread->wait_link);
    set_waiting(false);
    spin_unlock(&queue->lock);
    spin_lock(&sleep_lock);
    list_del(&thread->sleep_link);
    spin_unlock(&sleep_lock);
}

void wake_all(struct wait_queue *queue)
{
    spin_lock(&queue->lock);
    list_for_each (link, &queue->waiters)
        thread_wake(list_entry(link, struct thread, wait_link));
    spin_unlock(&queue->lock);
}

void mutex_init(struct mutex *mutex)
{
    mutex->locked = false;
    wait_queue_init(&mutex->queue);
}

void mutex_lock(struct mutex *mutex)
{
    wait_until(&mutex->queue, !__atomic_exchange_n(&mutex->locked, true, __ATOMIC_ACQUIRE), NEVER, false);
}

void mutex_unlock(struct mutex *mutex)
{
    __atomic_store_n(&mutex->locked, false, __ATOMIC_RELEASE);
    wake_all(&mutex->queue);
}
