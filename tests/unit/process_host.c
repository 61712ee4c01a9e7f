/* A current process for kernel code that runs on the host. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "guestos/include/heap.h"
#include "guestos/include/string.h"

#define ARCH_SET_GS 0x1001 /* arch_prctl(2) */

extern const struct syscall __start_syscalls[], __stop_syscalls[];

struct process host_process;
void (*host_on_sleep)(void), (*host_on_lock)(void);
bool host_interrupted;
unsigned host_sleeps, host_wakes, host_objects, host_objects_left;

static struct thread thread;
static struct cpu cpu;
static uint8_t stack[STACK_BYTES];
static struct wait_queue *waited_in;
static unsigned mutexes_held;

void process_host_begin(void)
{
    thread = (struct thread){.process = &host_process, .cpu = &cpu};
    cpu = (struct cpu){.self = &cpu, .current = &thread};
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu); /* the host's own libraries have no use for GS */
    memset(&host_process, 0, sizeof host_process);
    host_process.pid = host_process.pgid = host_process.sid = 7;
    host_process.thread = &thread;
    host_process.signals.stack.flags = SS_DISABLE;
    list_init(&host_process.children);
    list_init(&host_process.sibling);
    list_init(&host_process.all);
    memset(stack, 0, sizeof stack);
    host_on_sleep = host_on_lock = NULL;
    host_interrupted = false;
    host_sleeps = host_wakes = mutexes_held = 0;
    waited_in = NULL;
    host_objects = 0;
    host_objects_left = UINT32_MAX;
}

ssize_t host_call(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    for (const struct syscall *s = __start_syscalls; s < __stop_syscalls; s++)
        if (s->number == number)
            return s->call(a, b, c, d, 0, 0);
    fail_msg("the sources of this test have no system call %u", number);
    return -ENOSYS;
}

/* ---- the program's memory ---- */

static void *at_or_null(uint64_t address, size_t n)
{
    uint64_t offset = address - (USER_END - STACK_BYTES);

    return offset <= STACK_BYTES && n <= STACK_BYTES - offset ? stack + offset : NULL;
}

void *user_at(uint64_t address, size_t n)
{
    void *at = at_or_null(address, n);

    if (!at)
        fail_msg("0x%lx, %zu bytes, is not on the program's stack, the 64 KiB below 0x%lx", address, n,
                 USER_END);
    return at;
}

uint64_t user_word(uint64_t address)
{
    uint64_t word;

    memcpy(&word, user_at(address, sizeof word), sizeof word);
    return word;
}

int copy_from_user(void *to, uint64_t from, size_t n)
{
    const void *at = at_or_null(from, n);

    if (!at)
        return -EFAULT;
    memcpy(to, at, n);
    return 0;
}

int copy_to_user(uint64_t to, const void *from, size_t n)
{
    void *at = at_or_null(to, n);

    if (!at)
        return -EFAULT;
    memcpy(at, from, n);
    return 0;
}

int clear_user(uint64_t to, size_t n)
{
    void *at = at_or_null(to, n);

    if (!at)
        return -EFAULT;
    memset(at, 0, n);
    return 0;
}

/* ---- waiting ---- */

void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

void host_watch(struct wait_queue *queue)
{
    waited_in = queue;
    host_wakes = 0;
}

void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    (void)deadline;
    waited_in = queue;
}

int wait_sleep(uint64_t deadline, bool interruptible)
{
    (void)deadline;
    if (interruptible && host_interrupted)
        return -EINTR;
    if (moss_locks_held() || mutexes_held)
        fail_msg("the process sleeps with a lock held: whoever could wake it would wait for that lock");
    if (!host_on_sleep)
        fail_msg("the process sleeps, and there is nobody who will wake it");
    if (++host_sleeps > 100)
        fail_msg("the process goes to sleep again and again: what it waits for is there");
    host_wakes = 0;
    host_on_sleep();
    if (host_wakes == 0)
        fail_msg("what the process waits for has come, and nobody called wake_all(): it sleeps on for ever");
    return 0;
}

void wait_finish(struct wait_queue *queue)
{
    (void)queue;
}

void wake_all(struct wait_queue *queue)
{
    host_wakes += queue == waited_in;
}

void mutex_init(struct mutex *mutex)
{
    mutex->locked = false;
}

void mutex_lock(struct mutex *mutex)
{
    void (*others)(void) = host_on_lock;

    host_on_lock = NULL;
    if (others)
        others();
    if (mutex->locked)
        fail_msg("a mutex is locked twice: the process waits for itself");
    mutex->locked = true;
    mutexes_held++;
}

void mutex_unlock(struct mutex *mutex)
{
    if (!mutex->locked)
        fail_msg("a mutex is unlocked that is not locked");
    mutex->locked = false;
    mutexes_held--;
}

unsigned host_mutexes_held(void)
{
    return mutexes_held;
}

/* ---- the heap, and what it is filled with ---- */

void *kmalloc(size_t size)
{
    if (host_objects_left == 0)
        return NULL;
    host_objects_left--;
    host_objects++;
    return calloc(1, size);
}

void kfree(void *p)
{
    host_objects -= p != NULL;
    free(p);
}

char *kstrdup(const char *s)
{
    char *copy = kmalloc(strlen(s) + 1);

    return copy ? strcpy(copy, s) : NULL;
}

void strcopy(char *to, const char *s, size_t size)
{
    snprintf(to, size, "%s", s);
}
