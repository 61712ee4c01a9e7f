/* The parts of Moss's kernel that the tests replace: the direct map, spinlocks, panic. */
#include <sys/mman.h>
#include "moss_host.h"
#include "guestos/include/printk.h"
#include "guestos/include/spinlock.h"

#define LOCKS_MAX 8

jmp_buf moss_panic_catcher;
const char *moss_panic_part; /* of the message that is expected; NULL: none */
static struct spinlock *held[LOCKS_MAX];
static unsigned held_count;
void (*moss_before_lock)(void);

void moss_ram(uint64_t size)
{
    void *at = (void *)DIRECT_BASE; /* not phys_to_virt(0): early labs have no frames.h */

    assert_ptr_equal(
        mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), at);
}

void spin_lock(struct spinlock *lock)
{
    void (*before)(void) = moss_before_lock;

    moss_before_lock = NULL;
    if (before)
        before();
    assert_false(lock->locked); /* there is one thread: it would wait for itself */
    lock->locked = true;
    assert_true(held_count < LOCKS_MAX);
    held[held_count++] = lock;
}

void spin_unlock(struct spinlock *lock)
{
    assert_true(held_count > 0);
    assert_ptr_equal(held[--held_count], lock);
    lock->locked = false;
}

unsigned moss_locks_held(void)
{
    return held_count;
}

/* A panic that is expected comes back to expect_panic(). */
void panic(const char *fmt, ...)
{
    char message[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (!moss_panic_part || !strstr(message, moss_panic_part))
        fail_msg("Moss panicked: %s", message);
    moss_panic_part = NULL;
    while (held_count > 0)
        spin_unlock(held[held_count - 1]);
    longjmp(moss_panic_catcher, 1);
}

uint32_t moss_random(void)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005ul + 1442695040888963407ul; /* Knuth's constants (TAOCP 2 §3.3.4) */
    return (uint32_t)(state >> 32);
}

/* The time-stamp counter, where a test does not have one of its own. */
__attribute__((weak)) uint64_t host_tsc(void)
{
    return 0;
}
