/* Registers of a device: nobody may touch their page, so each access traps. It is then done, alone, by a
 * single step on memory that holds what the device answers, or takes what the device gets. */
#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/unit/mmio_host.h"

#define DEVICES_MAX 4
#define PAGE        4096
#define TRAP_FLAG   0x100 /* of RFLAGS: trap after the next instruction (Intel SDM 3B §18.3.1.4) */
#define FAULT_STORE 2     /* of a page fault's error code (Intel SDM 3A §4.7) */

static struct mmio_host *devices[DEVICES_MAX];
static struct sigaction before; /* what else a SIGSEGV means */
static struct {
    struct mmio_host *device;
    unsigned offset;
    bool store;
} under_way;

static void allow(struct mmio_host *device, int protection)
{
    int failed = mprotect(device->page, PAGE, protection);

    assert(!failed);
    (void)failed;
}

static void touched(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

    for (unsigned i = 0; i < DEVICES_MAX && devices[i]; i++) {
        uintptr_t offset = (uintptr_t)info->si_addr - (uintptr_t)devices[i]->page;
        if (offset >= PAGE)
            continue;
        under_way.device = devices[i];
        under_way.offset = (unsigned)offset;
        under_way.store = registers[REG_ERR] & FAULT_STORE;
        uint32_t answer = under_way.store ? 0 : devices[i]->read(under_way.offset);
        allow(devices[i], PROT_READ | PROT_WRITE);
        if (!under_way.store)
            memcpy((char *)devices[i]->page + offset, &answer, sizeof answer);
        registers[REG_EFL] |= TRAP_FLAG;
        return;
    }
    sigaction(signal, &before, NULL); /* the same instruction comes again, and is reported */
}

static void stepped(int signal, siginfo_t *info, void *context)
{
    uint32_t value;

    (void)signal, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    memcpy(&value, (char *)under_way.device->page + under_way.offset, sizeof value);
    allow(under_way.device, PROT_NONE);
    if (under_way.store)
        under_way.device->write(under_way.offset, value);
}

void *mmio_host_map(struct mmio_host *device)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
    unsigned i = 0;

    if (!devices[0]) {
        action.sa_sigaction = touched;
        sigaction(SIGSEGV, &action, &before);
        action.sa_sigaction = stepped;
        sigaction(SIGTRAP, &action, NULL);
    }
    while (i < DEVICES_MAX && devices[i])
        i++;
    assert_true(i < DEVICES_MAX);
    device->page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(device->page, MAP_FAILED);
    devices[i] = device;
    return device->page;
}
