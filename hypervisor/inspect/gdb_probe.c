/* What the KVM at hand can do for a debugger, found out with a guest of a few bytes. That a capability is
 * offered proves little: a KVM in an emulated machine may never see an INT3 or a debug register. */
#include <sys/mman.h>
#include <unistd.h>
#include "gdb.h"

#define INT3_AT  0x100
#define NOPS_AT  0x200
#define VECTOR_3 (3 * 4) /* of the real-mode interrupt table: offset, segment */
#define DR7_L0   1       /* breakpoint 0 is on; its type 0 is "execution" (Intel SDM 3B §18.2.4) */
#define RUNS_MAX 8

static const uint8_t code[] = {
    [INT3_AT] = 0xcc, 0xf4,       /* int3; hlt, which is also where vector 3 leads */
    [NOPS_AT] = 0x90, 0x90, 0xf4, /* nop; nop, on which debug register 0 lies; hlt */
};

struct probe_vm {
    int fd, vcpu_fd;
    struct kvm_run *run;
    size_t run_size;
};

static bool probe_open(struct probe_vm *p, int kvm_fd)
{
    static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    struct kvm_userspace_memory_region slot = {.memory_size = PAGE_SIZE, .userspace_addr = (uintptr_t)page};
    uint64_t identity_map = 0xfffbc000; /* see kvm_open() in vm.c */

    memcpy(page, code, sizeof code);
    memcpy(page + VECTOR_3, &(uint16_t[]){INT3_AT + 1, 0}, 4);
    p->run_size = (size_t)ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    p->fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
    ioctl(p->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    ioctl(p->fd, KVM_SET_TSS_ADDR, identity_map + PAGE_SIZE);
    p->vcpu_fd = ioctl(p->fd, KVM_CREATE_VCPU, 0);
    p->run = mmap(NULL, p->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->vcpu_fd, 0);
    return p->run != MAP_FAILED && ioctl(p->fd, KVM_SET_USER_MEMORY_REGION, &slot) == 0;
}

static void probe_close(struct probe_vm *p)
{
    if (p->run != MAP_FAILED)
        munmap(p->run, p->run_size);
    close(p->vcpu_fd);
    close(p->fd);
}

/* Run from `rip` in real mode to the HLT. Returns whether KVM reports exception `vector` before. */
static bool probe_run(struct probe_vm *p, uint64_t rip, struct kvm_guest_debug *debug, unsigned vector)
{
    struct kvm_regs regs = {.rip = rip, .rflags = 2, .rsp = 0x800};
    struct kvm_sregs sregs;

    ioctl(p->vcpu_fd, KVM_GET_SREGS, &sregs);
    sregs.cs.base = sregs.cs.selector = 0;
    if (ioctl(p->vcpu_fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(p->vcpu_fd, KVM_SET_REGS, &regs) < 0 ||
        ioctl(p->vcpu_fd, KVM_SET_GUEST_DEBUG, debug) < 0)
        return false;
    for (unsigned i = 0; i < RUNS_MAX; i++) /* a signal may come between */
        if (ioctl(p->vcpu_fd, KVM_RUN, 0) == 0)
            return p->run->exit_reason == KVM_EXIT_DEBUG && p->run->debug.arch.exception == vector;
    return false;
}

void gdb_probe(struct vm *vm)
{
    struct kvm_guest_debug sw = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP};
    struct kvm_guest_debug hw = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
                                 .arch.debugreg = {[0] = NOPS_AT + 1, [7] = DR7_L0}};
    struct probe_vm p;

    if (probe_open(&p, vm->kvm_fd)) {
        gdb.int3_exits = probe_run(&p, INT3_AT, &sw, 3);
        gdb.debug_registers_work = probe_run(&p, NOPS_AT, &hw, 1);
    }
    probe_close(&p);
    gdb.can_block_interrupts =
        ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2) & KVM_GUESTDBG_BLOCKIRQ;
}
