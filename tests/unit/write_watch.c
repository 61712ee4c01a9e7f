/* Watching stores: the memory is read-only, so each one traps; it is noted and then done, alone, by a single
 * step. */
#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/unit/write_watch.h"

#define STORES_MAX 4096
#define TRAP_FLAG  0x100 /* of RFLAGS: trap after the next instruction (Intel SDM 3B §18.3.1.4) */

static struct {
    uintptr_t begin, size;
    uintptr_t stores[STORES_MAX]; /* where each began */
    unsigned count;
    struct sigaction segv, trap; /* what was there before */
} watch;

static void allow(int protection)
{
    int failed = mprotect((void *)watch.begin, watch.size, protection);

    assert(!failed);
    (void)failed;
}

/* A store to what is watched, or any other fault: that one happens again, without us. */
static void stored(int signal, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;

    if (at - watch.begin >= watch.size || watch.count == STORES_MAX) {
        sigaction(signal, &watch.segv, NULL);
        return;
    }
    watch.stores[watch.count++] = at;
    allow(PROT_READ | PROT_WRITE);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void stepped(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    allow(PROT_READ);
}

void watch_begin(void *at, size_t size)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    watch.begin = (uintptr_t)at;
    watch.size = size;
    watch.count = 0;
    action.sa_sigaction = stored;
    sigaction(SIGSEGV, &action, &watch.segv);
    action.sa_sigaction = stepped;
    sigaction(SIGTRAP, &action, &watch.trap);
    allow(PROT_READ);
}

void watch_end(void)
{
    allow(PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &watch.segv, NULL);
    sigaction(SIGTRAP, &watch.trap, NULL);
}

unsigned watch_last_store(const void *at, size_t size)
{
    for (unsigned i = watch.count; i > 0; i--)
        if (watch.stores[i - 1] - (uintptr_t)at < size)
            return i;
    return 0;
}
