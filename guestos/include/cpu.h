/* The CPU: control registers, MSRs, interrupts on and off, and what the kernel keeps for each CPU. */
#ifndef CPU_H
#define CPU_H

#include "list.h"
#include "spinlock.h"
#include "types.h"

#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_SFMASK         0xc0000084

#define RFLAGS_CF   0x1
#define RFLAGS_TF   0x100
#define RFLAGS_IF   0x200
#define RFLAGS_DF   0x400
#define RFLAGS_IOPL 0x3000
#define RFLAGS_NT   0x4000
#define RFLAGS_AC   0x40000

#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)

struct thread;

/*
 * What a CPU has for itself, reached through GS. The first three members are also used by assembly
 * (kernel/trap_entry.S): do not move them.
 */
struct cpu {
    struct cpu *self;
    uint64_t kernel_rsp; /* top of the current thread's kernel stack */
    uint64_t user_rsp;   /* scratch while SYSCALL switches stacks */
    unsigned id;
    unsigned locks_held; /* interrupts stay off while this is not zero */
    bool irq_was_on;     /* before the first of those locks */
    bool need_resched;   /* the tick found that the current thread has had its turn */
    uint64_t ticks;      /* that this CPU has had */
    struct thread *current;
    struct thread *idle;
    struct spinlock run_lock; /* guards run_queue, and the act of switching */
    struct list run_queue;    /* threads ready to run, first to run first */
};

#define MAX_CPUS 8

extern struct cpu cpus[MAX_CPUS];

/* Make `id` the number of the CPU that calls. Until then this_cpu() must not be used. */
void cpu_init(unsigned id);

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr3, %0" : "=r"(value) : : "memory");
    return value;
}

static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}

static inline void write_cr4(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t read_rflags(void)
{
    uint64_t value;

    __asm__ volatile("pushfq; popq %0" : "=r"(value));
    return value;
}

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

extern bool cpu_has_smap; /* the CPU keeps the kernel from a program's memory ... */

/* ... except between these two. */
static inline void user_access_begin(void)
{
    if (cpu_has_smap)
        __asm__ volatile("stac" : : : "memory");
}

static inline void user_access_end(void)
{
    if (cpu_has_smap)
        __asm__ volatile("clac" : : : "memory");
}

static inline void irq_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline bool irq_enabled(void)
{
    return read_rflags() & RFLAGS_IF;
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

#endif
