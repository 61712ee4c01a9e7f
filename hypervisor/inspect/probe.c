/*
 * Which exception does an instruction raise? Run it once more with an interrupt table, a stack and handlers
 * of our own, in pages that the dead guest did not have. Long mode only; afterwards all is as it was.
 */
#include <sys/mman.h>
#include "inspect.h"
#include "x86.h"

#define PROBE_GPA  0xfe000000ul /* in the hole below 4 GiB */
#define PROBE_SLOT 500          /* of the memory slots; the guest's RAM has the first ones */
#define VECTORS    32
#define EXITS_MAX  10000 /* of an instruction that repeats, a page each */
#define GDT_COPIED 64    /* entries of the guest's GDT that the instruction may need */

/* Everything that the CPU needs to deliver an exception, page by page. */
struct probe {
    uint64_t tables[4][512]; /* page tables, top down, below the guest's own top table */
    struct {
        uint64_t low, high;
    } idt[VECTORS];
    uint64_t gdt[GDT_COPIED + 1]; /* the last is our code segment */
    uint8_t tss[104];
    uint8_t handlers[VECTORS][4]; /* out %al, $0x80; jmp back to it */
    uint64_t stack[256];          /* the last six words: error code, RIP, CS, RFLAGS, RSP, SS */
} __attribute__((aligned(4096)));

#define PAGES (sizeof(struct probe) / 4096)

/* Find a free entry in the upper half of the guest's top table; the lower half belongs to its programs. */
static uint64_t *free_entry(struct vm *vm, const struct kvm_sregs *sregs, unsigned *index)
{
    uint64_t *top = guest_ptr(vm, sregs->cr3 & PTE_ADDR, 4096);

    for (unsigned i = 511; top && i >= 256; i--)
        if (!(top[i] & PTE_P)) {
            *index = i;
            return &top[i];
        }
    return NULL;
}

/* Map the probe's pages through `entry`. Returns the guest-virtual address of the first. */
static uint64_t map_probe(struct probe *p, uint64_t *entry, unsigned index, unsigned levels)
{
    *entry = PROBE_GPA | PTE_P | PTE_W;
    for (unsigned i = 0; i + 2 < levels; i++)
        p->tables[i][0] = (PROBE_GPA + (i + 1) * 4096) | PTE_P | PTE_W;
    for (unsigned i = 0; i < PAGES; i++)
        p->tables[levels - 2][i] = (PROBE_GPA + i * 4096) | PTE_P | PTE_W;
    unsigned shift = 12 + 9 * (levels - 1);
    return (uint64_t)((int64_t)((uint64_t)index << (64 - 9)) >> (64 - 9 - shift));
}

/* The descriptors of AMD APM 2 §4.8 and §8.9.1: a gate per vector that switches to our stack through IST 1.
 */
static void fill_probe(struct probe *p, uint64_t gva, const struct autopsy *a)
{
    const uint16_t selector = GDT_COPIED * 8;
    uint64_t stack_top = gva + offsetof(struct probe, stack) + sizeof p->stack;
    size_t gdt_size = a->sregs.gdt.limit < GDT_COPIED * 8 ? a->sregs.gdt.limit + 1u : GDT_COPIED * 8;

    walk_read(a->vcpu->vm, &a->sregs, a->sregs.gdt.base, p->gdt, gdt_size);
    p->gdt[GDT_COPIED] = 0x00af9b000000ffff; /* 64-bit code, ring 0 */
    memcpy(p->tss + 36, &stack_top, 8);      /* IST 1 */
    for (unsigned i = 0; i < VECTORS; i++) {
        uint64_t handler = gva + offsetof(struct probe, handlers[i]);
        memcpy(p->handlers[i], "\xe6\x80\xeb\xfc", 4);
        p->idt[i].low = (handler & 0xffff) | (uint64_t)selector << 16 | 1ul << 32 | 0x8eul << 40 |
                        (handler >> 16 & 0xffff) << 48;
        p->idt[i].high = handler >> 32;
    }
}

static void set_registers(const struct autopsy *a, uint64_t gva)
{
    struct kvm_sregs sregs = a->sregs;
    struct kvm_regs regs = a->regs;

    regs.rflags &= ~(RFLAGS_IF | RFLAGS_TF); /* no interrupt and no single step in between */
    sregs.idt = (struct kvm_dtable){gva + offsetof(struct probe, idt), VECTORS * 16 - 1, {0}};
    sregs.gdt = (struct kvm_dtable){gva + offsetof(struct probe, gdt), (GDT_COPIED + 1) * 8 - 1, {0}};
    sregs.tr = (struct kvm_segment){
        .base = gva + offsetof(struct probe, tss), .limit = 103, .selector = 8, .type = 11, .present = 1};
    memset(sregs.interrupt_bitmap, 0, sizeof sregs.interrupt_bitmap);
    ioctl(a->vcpu->fd, KVM_SET_SREGS, &sregs);
    ioctl(a->vcpu->fd, KVM_SET_REGS, &regs);
}

/* Run until one of our handlers writes to its port. Returns its vector, or a negative number if none does.
 * String I/O exits before it faults: go on then, as after any access that is completed. */
static int run_to_handler(struct autopsy *a, uint64_t handlers)
{
    struct kvm_regs regs;

    for (unsigned i = 0; i < EXITS_MAX; i++) {
        if (vcpu_enter(a->vcpu) < 0 && vcpu_enter(a->vcpu) < 0)
            break;
        ioctl(a->vcpu->fd, KVM_GET_REGS, &regs);
        if (regs.rip - handlers < VECTORS * 4ul)
            return (int)(regs.rip - handlers) / 4;
        if (!is_last_access(a->vcpu))
            break;
    }
    return -ENOENT;
}

/* The state at the exception: what the CPU pushed (RIP, CS, RFLAGS, RSP, SS), and all else as it is now. */
static void take_frame(struct autopsy *a, const uint64_t frame[5], const struct kvm_sregs *now)
{
    ioctl(a->vcpu->fd, KVM_GET_REGS, &a->regs);
    a->regs.rip = frame[0];
    a->regs.rflags = frame[2];
    a->regs.rsp = frame[3];
    a->sregs.cs = now->cs;
    a->sregs.cs.selector = (uint16_t)frame[1];
    a->sregs.ss.selector = (uint16_t)frame[4];
    a->sregs.fs = now->fs;
    a->sregs.gs = now->gs;
    a->sregs.cr3 = now->cr3;
}

/* See which exception the instruction raises, and read what the CPU left for its handler. */
static void run_probe(struct autopsy *a, const struct probe *p, uint64_t gva)
{
    static const uint32_t with_error_code =
        1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;
    struct kvm_sregs sregs;
    int vector = run_to_handler(a, gva + offsetof(struct probe, handlers));

    if (vector < 0)
        return;
    ioctl(a->vcpu->fd, KVM_GET_SREGS, &sregs);
    a->vector = (unsigned)vector;
    a->faulted = true;
    a->error = with_error_code >> a->vector & 1 ? p->stack[250] : 0;
    a->cr2 = sregs.cr2;
    if (p->stack[251] != a->regs.rip) /* it ran (SYSCALL does, when stepped), and what follows failed */
        take_frame(a, p->stack + 251, &sregs);
}

void probe_exception(struct autopsy *a)
{
    struct vm *vm = a->vcpu->vm;
    unsigned index, levels = a->sregs.cr4 & CR4_LA57 ? 5 : 4;

    uint64_t *entry = a->sregs.efer & EFER_LMA ? free_entry(vm, &a->sregs, &index) : NULL;
    if (!entry)
        return;
    struct probe *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return;
    struct kvm_userspace_memory_region slot = {PROBE_SLOT, 0, PROBE_GPA, sizeof *p, (uintptr_t)p};
    if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot) == 0) {
        uint64_t before = *entry;
        uint64_t gva = map_probe(p, entry, index, levels);
        fill_probe(p, gva, a);
        set_registers(a, gva);
        run_probe(a, p, gva);
        ioctl(a->vcpu->fd, KVM_SET_SREGS, &a->sregs);
        ioctl(a->vcpu->fd, KVM_SET_REGS, &a->regs);
        *entry = before;
        slot.memory_size = 0; /* gives the slot back */
        ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot);
    }
    munmap(p, sizeof *p);
}
