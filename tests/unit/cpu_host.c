/* Privileged instructions, decoded where the host's CPU refuses them (Intel SDM 2A §2.1 tells of ModR/M and
 * SIB). */
#include <asm/prctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "cpu_host.h"

struct cpu cpus[MAX_CPUS];
uint64_t cpu_host_cr2, cpu_host_cr3, cpu_host_flushed;
unsigned cpu_host_flushes, cpu_host_cr3_loads;
void (*cpu_host_on_flush)(uint64_t address);
void (*cpu_host_on_cr3)(void);
void (*cpu_host_on_wrmsr)(uint32_t msr, uint64_t value);
bool cpu_host_irq_on = true;
const void *cpu_host_idt;
uint16_t cpu_host_idt_limit;

static struct {
    uint32_t number;
    uint64_t value;
} msrs[8]; /* as WRMSR left them */
static unsigned msr_count;

static struct sigaction before; /* what else a SIGSEGV means: the sanitizer's report */

static greg_t *reg(ucontext_t *context, unsigned number)
{
    static const int names[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

    return &context->uc_mcontext.gregs[names[number]];
}

/* The address that the ModR/M byte at `p` names. Returns the first byte behind it and what belongs to it. */
static const uint8_t *operand(ucontext_t *context, const uint8_t *p, unsigned rex, uint64_t *address)
{
    unsigned mod = p[0] >> 6, rm = p[0] & 7;
    bool no_base = mod == 0 && rm == 5; /* relative to RIP */
    bool has_sib = rm == 4;
    int32_t far = 0;

    *address = 0;
    p++;
    if (has_sib) {
        unsigned index = (p[0] >> 3 & 7) | (rex & 2) << 2;
        if (index != 4)
            *address = (uint64_t)*reg(context, index) << (p[0] >> 6);
        rm = p[0] & 7;
        no_base = mod == 0 && rm == 5;
        p++;
    }
    if (!no_base)
        *address += (uint64_t)*reg(context, rm | (rex & 1) << 3);
    if (mod == 1) {
        *address += (uint64_t)(int64_t)(int8_t)*p;
        return p + 1;
    }
    if (mod == 0 && !no_base)
        return p;
    memcpy(&far, p, 4);
    p += 4;
    *address += (uint64_t)(int64_t)far + (no_base && !has_sib ? (uintptr_t)p : 0);
    return p;
}

static void invlpg(uint64_t address)
{
    cpu_host_flushes++;
    cpu_host_flushed = address;
    if (cpu_host_on_flush)
        cpu_host_on_flush(address);
}

static void lidt(const uint8_t *descriptor)
{
    memcpy(&cpu_host_idt_limit, descriptor, 2);
    memcpy(&cpu_host_idt, descriptor + 2, 8);
}

static void load_cr3(uint64_t value)
{
    cpu_host_cr3 = value;
    cpu_host_cr3_loads++;
    if (cpu_host_on_cr3)
        cpu_host_on_cr3();
}

/* MOV to and from a control register: 0F 22 and 0F 20. Returns what follows it; NULL: it is none of ours. */
static const uint8_t *move_control(ucontext_t *context, const uint8_t *p, unsigned rex)
{
    greg_t *general = reg(context, (p[2] & 7) | (rex & 1) << 3);
    unsigned control = p[2] >> 3 & 7;

    if (p[1] == 0x20 && control == 2)
        *general = (greg_t)cpu_host_cr2;
    else if (p[1] == 0x20 && control == 3)
        *general = (greg_t)cpu_host_cr3;
    else if (p[1] == 0x22 && control == 3)
        load_cr3((uint64_t)*general);
    else
        return NULL;
    return p + 3;
}

static void note_msr(uint32_t number, uint64_t value)
{
    unsigned n = 0;

    while (n < msr_count && msrs[n].number != number)
        n++;
    if (n == sizeof msrs / sizeof *msrs)
        return;
    msr_count += n == msr_count;
    msrs[n].number = number;
    msrs[n].value = value;
}

static void wrmsr(ucontext_t *context)
{
    uint32_t number = (uint32_t)*reg(context, 1); /* ECX; the value is EDX:EAX */
    uint64_t value = (uint64_t)*reg(context, 2) << 32 | (uint32_t)*reg(context, 0);

    note_msr(number, value);
    if (cpu_host_on_wrmsr)
        cpu_host_on_wrmsr(number, value);
}

uint64_t cpu_host_msr(uint32_t number)
{
    for (unsigned n = 0; n < msr_count; n++)
        if (msrs[n].number == number)
            return msrs[n].value;
    return 0;
}

/* Returns what follows the instruction at p; NULL: it is none of ours. */
static const uint8_t *execute(ucontext_t *context, const uint8_t *p)
{
    unsigned rex = *p >> 4 == 4 ? *p++ : 0;
    uint64_t address;

    if (p[0] == 0xfa || p[0] == 0xfb) { /* CLI, STI */
        cpu_host_irq_on = p[0] == 0xfb;
        return p + 1;
    }
    if (p[0] == 0x0f && p[1] == 0x30) {
        wrmsr(context);
        return p + 2;
    }
    if (p[0] == 0x0f && (p[1] == 0x20 || p[1] == 0x22))
        return move_control(context, p, rex);
    if (p[0] != 0x0f || p[1] != 0x01 || p[2] >> 6 == 3)
        return NULL;
    const uint8_t *next = operand(context, p + 2, rex, &address);
    switch (p[2] >> 3 & 7) {
    case 3:
        lidt((const uint8_t *)address);
        return next;
    case 7:
        invlpg(address);
        return next;
    }
    return NULL;
}

static void refused(int signal, siginfo_t *info, void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    const uint8_t *next = execute(context, (const uint8_t *)*rip);

    (void)info;
    if (next)
        *rip = (greg_t)next;
    else
        sigaction(signal, &before, NULL); /* the same instruction comes again, and is reported */
}

void cpu_host_begin(void)
{
    const struct sigaction action = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, &before);
}

void cpu_host_be(unsigned id)
{
    struct cpu *cpu = &cpus[id];

    if (!cpu->self)
        list_init(&cpu->run_queue);
    cpu->self = cpu;
    cpu->id = id;
    syscall(SYS_arch_prctl, ARCH_SET_GS, cpu); /* nothing else in a 64-bit program of the host uses GS */
}
