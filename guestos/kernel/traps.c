/* Every exception and interrupt arrives here and is given to its handler. */
#include "cpu.h"
#include "init.h"
#include "ksyms.h"
#include "layout.h"
#include "printk.h"
#include "string.h"
#include "trap.h"

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT 0x8e /* present, interrupts off, only the kernel may INT to it */
#define GATE_USER      0xee /* a program may INT to it */
#define IST_FAULT      1    /* the spare stack on which a double fault is told about */

struct fixup {
    uint64_t from, to;
};

extern const char trap_vectors[];
extern const struct fixup __start_extable[], __stop_extable[];

void (*trap_watcher)(const struct trapframe *frame, const struct trap_began *began);
static struct gate idt[256];
static trap_handler *handlers[256];
static trap_handler *user_handler;
static trap_handler *return_hooks[TRAP_HOOKS];

static const char *const names[] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "reserved",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
};

void trap_handle(unsigned vector, trap_handler *handler)
{
    if (handlers[vector])
        panic("trap vector %u has two handlers", vector);
    handlers[vector] = handler;
}

void trap_handle_user(trap_handler *handler)
{
    user_handler = handler;
}

void trap_on_return(trap_handler *hook)
{
    unsigned i = 0;

    while (i < TRAP_HOOKS && return_hooks[i])
        i++;
    if (i == TRAP_HOOKS)
        panic("more than %d hooks on the return from traps", TRAP_HOOKS);
    return_hooks[i] = hook;
}

void trap_leave(struct trapframe *frame)
{
    if (!(frame->rflags & RFLAGS_IF))
        return;
    for (unsigned i = 0; i < TRAP_HOOKS && return_hooks[i]; i++)
        return_hooks[i](frame);
}

static const struct fixup *find_fixup(uint64_t rip)
{
    for (const struct fixup *f = __start_extable; f < __stop_extable; f++)
        if (f->from == rip)
            return f;
    return NULL;
}

bool trap_has_fixup(uint64_t rip)
{
    return find_fixup(rip);
}

bool trap_fixup(struct trapframe *frame)
{
    const struct fixup *fixup = find_fixup(frame->rip);

    if (fixup)
        frame->rip = fixup->to;
    return fixup;
}

void print_registers(const struct trapframe *f)
{
    char name[64];

    symbol_name(f->rip, name, sizeof(name));
    warn("rip %016lx %s\r\n", f->rip, name);
    warn("rsp %016lx rflags %lx cs %lx error %lx cr2 %016lx\r\n", f->rsp, f->rflags, f->cs, f->error,
         read_cr2());
    warn("rax %016lx rbx %016lx rcx %016lx rdx %016lx\r\n", f->rax, f->rbx, f->rcx, f->rdx);
    warn("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\r\n", f->rsi, f->rdi, f->rbp, f->r8);
    warn("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\r\n", f->r9, f->r10, f->r11, f->r12);
    warn("r13 %016lx r14 %016lx r15 %016lx\r\n", f->r13, f->r14, f->r15);
}

static const char *trap_name(uint64_t vector)
{
    return vector < ARRAY_SIZE(names) ? names[vector] : "unexpected interrupt";
}

static void unexpected(struct trapframe *frame)
{
    static bool telling;

    if (telling) /* what the first one left is not even good for a backtrace */
        panic("%s (vector %lu) while telling of the one before", trap_name(frame->vector), frame->vector);
    telling = true;
    warn("\r\n");
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    panic("%s (vector %lu) in the kernel", trap_name(frame->vector), frame->vector);
}

/* Called by traps.S with interrupts off. */
void trap_dispatch(struct trapframe *frame)
{
    struct trap_began began = {frame->vector, frame->error, 0, 0};

    if (trap_watcher) {
        began.cr2 = read_cr2();
        began.tsc = read_tsc();
    }
    user_access_end(); /* the interrupted code may have had access; its flags come back with the return */
    if (handlers[frame->vector])
        handlers[frame->vector](frame);
    else if (from_user(frame) && user_handler)
        user_handler(frame);
    else if (!trap_fixup(frame))
        unexpected(frame);
    if (trap_watcher)
        trap_watcher(frame, &began);
    trap_leave(frame);
}

static void set_gate(unsigned vector, uint8_t type, uint8_t ist)
{
    uint64_t address = (uint64_t)trap_vectors + vector * 16;

    idt[vector] = (struct gate){
        .offset_low = address,
        .offset_middle = address >> 16,
        .offset_high = address >> 32,
        .selector = KERNEL_CS,
        .type = type,
        .ist = ist,
    };
}

static void traps_init(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idtr = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned vector = 0; vector < 256; vector++)
        set_gate(vector, vector == TRAP_BREAKPOINT ? GATE_USER : GATE_INTERRUPT,
                 vector == TRAP_DOUBLE_FAULT ? IST_FAULT : 0);
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

INIT(INIT_TRAPS, traps_init);
