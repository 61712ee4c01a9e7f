/*
 * Self-test: what a program must not do kills that program, with the signal that says why, and nothing else;
 * system calls from odd processor states work; forged signal frames give no power.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* A function that executes these instructions; never inlined, since the compiler does not see which registers
 * they change. */
#define BODY(name, instructions)                                                                             \
    static __attribute__((noinline)) void name(void)                                                         \
    {                                                                                                        \
        __asm__ volatile(instructions);                                                                      \
    }

BODY(do_cli, "cli")
BODY(do_sti, "sti")
BODY(do_hlt, "hlt")
BODY(do_in, "mov $0x60, %dx\n\tin %dx, %al")
BODY(do_out, "mov $0xf4, %dx\n\tmov $3, %al\n\tout %al, %dx")
BODY(do_outs, "mov $0xe9, %dx\n\toutsb")
BODY(do_read_cr0, "mov %cr0, %rax")
BODY(do_write_cr3, "xor %eax, %eax\n\tmov %rax, %cr3")
BODY(do_write_cr4, "xor %eax, %eax\n\tmov %rax, %cr4")
BODY(do_write_dr7, "xor %eax, %eax\n\tmov %rax, %dr7")
BODY(do_rdmsr, "mov $0xc0000082, %ecx\n\trdmsr")
BODY(do_wrmsr, "mov $0xc0000082, %ecx\n\txor %eax, %eax\n\txor %edx, %edx\n\twrmsr")
BODY(do_lgdt, "sub $16, %rsp\n\tlgdt (%rsp)")
BODY(do_lidt, "sub $16, %rsp\n\tlidt (%rsp)")
BODY(do_ltr, "mov $0x28, %ax\n\tltr %ax")
BODY(do_lmsw, "xor %eax, %eax\n\tlmsw %ax")
BODY(do_clts, "clts")
BODY(do_invlpg, "invlpg (%rsp)")
BODY(do_wbinvd, "wbinvd")
BODY(do_swapgs, "swapgs")
BODY(do_sysret, "mov $0xffffffff80000000, %rcx\n\tsysretq")
BODY(do_int_20, "int $0x20")
BODY(do_int_fault, "int $14")
BODY(do_iret_to_kernel,
     "push $0x10\n\tpush %rsp\n\tpushfq\n\tpush $0x8\n\tlea 1f(%rip), %rax\n\tpush %rax\n\tiretq\n1:\n\tcli")
BODY(do_far_return, "push $0x8\n\tlea 1f(%rip), %rax\n\tpush %rax\n\tlretq\n1:\n\tcli")
BODY(do_load_segment, "mov $0x10, %eax\n\tmov %eax, %ss")
BODY(do_iopl, "pushfq\n\torl $0x3000, (%rsp)\n\tpopfq\n\tcli")
BODY(do_jump_nowhere, "mov $0x800000000000, %rax\n\tjmp *%rax")
BODY(do_jump_kernel, "mov $0xffffffff80100000, %rax\n\tjmp *%rax")
BODY(do_stack_nowhere, "mov $0x900000000000, %rsp\n\tpush %rax")
BODY(do_ud2, "ud2")
BODY(do_int3, "int3")
BODY(do_single_step, "pushfq\n\torl $0x100, (%rsp)\n\tpopfq\n\tnop\n\tnop")
BODY(do_single_step_syscall, "pushfq\n\torl $0x100, (%rsp)\n\tmov $39, %eax\n\tpopfq\n\tsyscall\n\tnop")
BODY(do_divide, "xor %ecx, %ecx\n\tmov $1, %eax\n\tcdq\n\tidiv %ecx")
#define NO_EXCEPTION 42
#define STRING(x)    STRING_(x)
#define STRING_(x)   #x
BODY(do_sse_divide,
     "sub $16, %rsp\n\tmovl $0x1f00, (%rsp)\n\tldmxcsr (%rsp)\n\txorps %xmm0, %xmm0\n\tdivss %xmm0, %xmm0\n\t"
     "mov $60, %eax\n\tmov $" STRING(NO_EXCEPTION) ", %edi\n\tsyscall") /* exit(NO_EXCEPTION) */
BODY(do_x87_divide, "sub $16, %rsp\n\tmovw $0x360, (%rsp)\n\tfldcw (%rsp)\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait")

TEST(faults_kill_only_the_process)
{
    static const struct {
        const char *what;
        void (*body)(void);
        int signal;
    } deaths[] = {
        {"cli", do_cli, SIGSEGV},
        {"sti", do_sti, SIGSEGV},
        {"hlt", do_hlt, SIGSEGV},
        {"in", do_in, SIGSEGV},
        {"out to the exit port", do_out, SIGSEGV},
        {"outs", do_outs, SIGSEGV},
        {"mov from CR0", do_read_cr0, SIGSEGV},
        {"mov to CR3", do_write_cr3, SIGSEGV},
        {"mov to CR4", do_write_cr4, SIGSEGV},
        {"mov to DR7", do_write_dr7, SIGSEGV},
        {"rdmsr", do_rdmsr, SIGSEGV},
        {"wrmsr", do_wrmsr, SIGSEGV},
        {"lgdt", do_lgdt, SIGSEGV},
        {"lidt", do_lidt, SIGSEGV},
        {"ltr", do_ltr, SIGSEGV},
        {"lmsw", do_lmsw, SIGSEGV},
        {"clts", do_clts, SIGSEGV},
        {"invlpg", do_invlpg, SIGSEGV},
        {"wbinvd", do_wbinvd, SIGSEGV},
        {"swapgs", do_swapgs, SIGSEGV},
        {"sysret", do_sysret, SIGSEGV},
        {"int 0x20, an interrupt's vector", do_int_20, SIGSEGV},
        {"int 14, the page fault's vector", do_int_fault, SIGSEGV},
        {"iret to kernel selectors", do_iret_to_kernel, SIGSEGV},
        {"a far return to a kernel selector", do_far_return, SIGSEGV},
        {"a kernel selector into SS", do_load_segment, SIGSEGV},
        {"cli after popf with IOPL 3", do_iopl, SIGSEGV},
        {"a jump to a non-canonical address", do_jump_nowhere, SIGSEGV},
        {"a jump into the kernel", do_jump_kernel, SIGSEGV},
        {"ud2", do_ud2, SIGILL},
        {"int3", do_int3, SIGTRAP},
        {"the trap flag", do_single_step, SIGTRAP},
        {"a system call with the trap flag", do_single_step_syscall, SIGTRAP},
        {"division by zero", do_divide, SIGFPE},
        {"an unmasked x87 exception", do_x87_divide, SIGFPE},
    };
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
        dies_of(deaths[i].body, deaths[i].signal, deaths[i].what);
}

/* Emulated CPUs may not know exceptions of SSE: then the division goes on with its default result. */
TEST(faults_sse_exception)
{
    int status = run_in_child(do_sse_divide);

    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_EXCEPTION)
        skip("this CPU raises no SSE exceptions");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGFPE,
          "an SSE division 0/0, unmasked: wait status %#x, should be killed by SIGFPE", status);
}

/* A non-canonical stack faults with #SS, which Linux reports as SIGBUS and simpler kernels may report as
 * SIGSEGV. */
TEST(faults_of_the_stack_segment)
{
    int status = run_in_child(do_stack_nowhere);

    CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV),
          "a push with a non-canonical stack pointer: wait status %#x, should be killed by SIGBUS or SIGSEGV",
          status);
}

/* --- system calls from odd states --- */

static long getpid_with_stack(uint64_t stack)
{
    long result;

    __asm__ volatile("mov %%rsp, %%r12\n\t"
                     "mov %2, %%rsp\n\t"
                     "syscall\n\t"
                     "mov %%r12, %%rsp"
                     : "=a"(result)
                     : "a"((long)SYS_getpid), "r"(stack)
                     : "rcx", "r11", "r12", "memory");
    return result;
}

TEST(faults_syscall_with_any_stack_pointer)
{
    static const uint64_t stacks[] = {0,
                                      1,
                                      0x1000,
                                      0x7ffffffff000,
                                      0x800000000000,
                                      0x8000000000000000,
                                      0xffff800000000000,
                                      0xffffffff80000800,
                                      0xffffffffffffffff};

    for (int round = 0; round < 200; round++) /* often, so that the timer interrupt hits it, too */
        for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++)
            EQUAL(getpid_with_stack(stacks[i]), getpid());
}

/* Make a system call with these bits set in RFLAGS. Returns its result; *after is RFLAGS behind it. */
static long getpid_with_flags(uint64_t bits, uint64_t *after)
{
    long result;

    __asm__ volatile("sub $128, %%rsp\n\t" /* below the red zone */
                     "pushfq\n\t"
                     "or %3, (%%rsp)\n\t"
                     "popfq\n\t"
                     "syscall\n\t"
                     "pushfq\n\t"
                     "mov (%%rsp), %1\n\t"
                     "andq $~0x44400, (%%rsp)\n\t"
                     "popfq\n\t"
                     "add $128, %%rsp"
                     : "=a"(result), "=&r"(*after)
                     : "a"((long)SYS_getpid), "r"(bits)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

TEST(faults_syscall_with_odd_flags)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } flags[] = {{1 << 10, "direction"}, {1 << 14, "nested task"}, {1 << 18, "alignment check"}};
    uint64_t after;

    for (size_t i = 0; i < 3; i++) {
        long result = getpid_with_flags(flags[i].bit, &after);
        CHECK(result == getpid(), "getpid with the %s flag gives %ld", flags[i].name, result);
        if (flags[i].bit != 1 << 14)
            CHECK(after & flags[i].bit, "the %s flag is lost in a system call", flags[i].name);
    }
}

static void fault_with_nested_task(void)
{
    volatile char *fresh = map_pages(1, PROT_READ | PROT_WRITE);

    __asm__ volatile(
        "sub $128, %%rsp\n\tpushfq\n\torl $0x4000, (%%rsp)\n\tpopfq\n\tmovb $1, (%0)\n\tadd $128, %%rsp"
        :
        : "r"(fresh)
        : "memory", "cc");
    _exit(*fresh != 1);
}

TEST(faults_with_nested_task_flag)
{
    EQUAL(run_in_child(fault_with_nested_task), 0);
}

/* A `syscall` that ends at the last canonical address would make the kernel return to a non-canonical one
 * (CVE-2012-0217). */
TEST(faults_last_page_cannot_be_mapped)
{
    EQUAL(raw_syscall(SYS_mmap, 0x7ffffffff000, PAGE, PROT_READ | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
          -ENOMEM);
}

TEST(faults_thread_pointer)
{
    const long set_fs = 0x1002, set_gs = 0x1001;

    EQUAL(raw_syscall(SYS_arch_prctl, set_fs, 0x800000000000, 0, 0, 0, 0), -EPERM);
    EQUAL(raw_syscall(SYS_arch_prctl, set_fs, 0xffff800000000000, 0, 0, 0, 0), -EPERM);
    long result = raw_syscall(SYS_arch_prctl, set_gs, 0x800000000000, 0, 0, 0, 0);
    CHECK(result == -EPERM || result == -EINVAL, "a non-canonical GS base gives %ld, should be -EPERM",
          result);
    EQUAL(raw_syscall(SYS_arch_prctl, 0x9999, 0, 0, 0, 0, 0), -EINVAL);
}

/* --- forged signal frames --- */

static int forged_register;
static long forged_value;

static void forge(int signal, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;

    (void)signal, (void)info;
    if (forged_register >= 0)
        frame->uc_mcontext.gregs[forged_register] = forged_value;
    else
        frame->uc_mcontext.fpregs = (void *)forged_value;
}

static void return_through_forgery(void)
{
    struct sigaction action = {.sa_sigaction = forge, .sa_flags = SA_SIGINFO};

    WORKS(sigaction(SIGUSR1, &action, NULL));
    WORKS(raise(SIGUSR1));
}

static void forge_iopl(void)
{
    forged_register = REG_EFL;
    forged_value = 0x3002; /* IOPL 3, interrupts off */
    return_through_forgery();
    do_cli();
}

/* Whether the kernel ignores what was forged or kills the process is its choice. */
static void is_harmless(const char *what)
{
    int status = run_in_child(return_through_forgery);

    CHECK(status == 0 || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS)),
          "a signal frame with a forged %s (%#lx): wait status %#x", what, forged_value, status);
}

TEST(faults_forged_signal_frames)
{
    static const long values[] = {
        0, 1, 0x800000000000, (long)0x8000000000000000, (long)0xffff800000000000, (long)0xffffffff80000000,
        -1};

    dies_of(forge_iopl, SIGSEGV, "cli after a signal frame with IOPL 3");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        forged_value = values[i];
        forged_register = REG_RIP;
        dies_of(return_through_forgery, SIGSEGV, "a signal frame with a forged RIP");
        forged_register = REG_RSP;
        is_harmless("RSP");
        forged_register = -1;
        is_harmless("pointer to the floating-point state");
    }
    forged_register = REG_CSGSFS;
    for (forged_value = 0; forged_value < 0x60; forged_value++)
        is_harmless("CS");
    forged_value = 0x0010000000000008; /* SS and CS of a usual kernel */
    is_harmless("SS and CS");
}

static uint64_t frame_address;

static void return_from_nothing(void)
{
    __asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall\n\thlt" ::"r"(frame_address) : "rax");
}

static void return_from_garbage(void)
{
    uint64_t *page = map_pages(2, PROT_READ | PROT_WRITE);

    for (int i = 0; i < 2 * PAGE / 8; i++)
        page[i] = 0xfedcba9876543210;
    frame_address = (uint64_t)page;
    return_from_nothing();
}

TEST(faults_sigreturn_without_a_frame)
{
    static const uint64_t addresses[] = {0,
                                         0x1000,
                                         0x7ffffffff000,
                                         0x800000000000,
                                         0xffff800000000000,
                                         0xffffffff80000000,
                                         0xfffffffffffffff8};

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        frame_address = addresses[i];
        dies_of(return_from_nothing, SIGSEGV, "rt_sigreturn with a stack that is no memory");
    }
    dies_of(return_from_garbage, SIGSEGV, "rt_sigreturn from a frame of garbage");
}
