/* What a signal handler finds on its stack, and what of it the kernel believes when it comes back. */
/* sources: guestos/proc/signal_frame.c */
/* sources: tests/unit/moss_host.c tests/unit/process_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/errno.h"
#include "guestos/include/signal_frame.h"

#define SIGRETURN 15
#define SP        (USER_END - 0x1003) /* odd: an interrupt comes anywhere */
#define RIP       0x401234ul
#define HANDLER   0x402000ul
#define RESTORER  0x403000ul
#define BLOCKED   0x55aaul
#define RED_ZONE  128

#define CARRY 1

static struct trapframe frame;
static struct sigaction action;
static const struct signal_cause cause = {.code = SEGV_MAPERR, .address = 0xdead0000, .pid = 9};
static uint8_t fpu_registers[FPU_STATE];
static uint64_t blocked_now;
static unsigned exits;

void fpu_save(void *state)
{
    memcpy(state, fpu_registers, FPU_STATE);
}

void fpu_load(const void *state)
{
    memcpy(fpu_registers, state, FPU_STATE);
}

void fpu_initial(void *state)
{
    memset(state, 0, FPU_STATE);
}

void signal_set_blocked(struct process *process, uint64_t blocked)
{
    (void)process;
    blocked_now = blocked;
}

void process_exit(int wait_status)
{
    exits++;
    fail_msg("the process is ended with status %d", wait_status);
    abort();
}

static int set_up(void **state)
{
    (void)state;
    process_host_begin();
    frame = (struct trapframe){.r15 = 15,
                               .r14 = 14,
                               .r13 = 13,
                               .r12 = 12,
                               .r11 = 11,
                               .r10 = 10,
                               .r9 = 9,
                               .r8 = 8,
                               .rbp = 107,
                               .rdi = 106,
                               .rsi = 105,
                               .rdx = 104,
                               .rcx = 103,
                               .rbx = 102,
                               .rax = 101,
                               .vector = SYSCALL_VECTOR,
                               .error = 3,
                               .rip = RIP,
                               .cs = USER_CS,
                               .rflags = RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | CARRY | 2,
                               .rsp = SP,
                               .ss = USER_DS};
    host_process.frame = &frame;
    action = (struct sigaction){.handler = HANDLER, .restorer = RESTORER, .flags = SA_RESTORER | SA_SIGINFO};
    memset(user_at(USER_END - STACK_BYTES, STACK_BYTES), 0x11, STACK_BYTES);
    for (unsigned i = 0; i < FPU_STATE; i++)
        fpu_registers[i] = (uint8_t)i;
    memset(fpu_registers + 24, 0, 4); /* MXCSR */
    return 0;
}

static int push(void)
{
    cpu_host_begin();
    cpu_host_cr2 = cause.address + 0x1000; /* somebody else's fault since */
    return signal_frame_push(&host_process, &frame, SIGSEGV, &action, &cause, BLOCKED);
}

static void pushed(void)
{
    expect_number((uint64_t)push(), 0, "the stack is there: signal_frame_push() gives 0");
}

static struct ucontext *context(void)
{
    return user_at(frame.rdx, sizeof(struct ucontext));
}

/* ---- signal_frame_push ---- */

static void the_handler_starts_like_a_called_function(void **state)
{
    (void)state;
    pushed();
    expect_number(frame.rip, HANDLER, "the program goes on in the handler");
    expect_number(
        user_word(frame.rsp), RESTORER,
        "at RSP lies the address to which the handler returns: action->restorer, which calls sigreturn");
    expect_number(frame.rsp % 16, 8,
                  "before a CALL, RSP is a multiple of 16, and CALL pushes 8 bytes (System V ABI §3.2.2): a "
                  "handler that "
                  "uses SSE would fault on any other stack");
    expect_number(frame.rax, 0, "RAX is 0: the handler may be a function without a prototype");
}

static void the_handler_gets_three_arguments(void **state)
{
    (void)state;
    pushed();
    const struct siginfo *info = user_at(frame.rsi, sizeof *info);
    expect_number(frame.rdi, SIGSEGV, "first argument (RDI): the signal");
    expect_number((uint64_t)info->signo, SIGSEGV, "second (RSI): the address of struct siginfo on the stack");
    expect_number(info->address, 0xdead0000, "siginfo tells the cause: signal_info()");
    expect_number(context()->mask, BLOCKED,
                  "third (RDX): the address of struct ucontext; mask is what sigreturn puts back");
    expect_true(frame.rsi > frame.rsp && frame.rdx > frame.rsp,
                "both lie above RSP: the handler's own stack frame grows downwards, over what is below");
}

static void the_interrupted_registers_are_saved(void **state)
{
    static const char lesson[] = "save_registers(), before the frame is changed for the handler";

    (void)state;
    pushed();
    const struct sigcontext *c = &context()->context;
    expect_number(c->rip, RIP, lesson);
    expect_number(c->rsp, SP, lesson);
    expect_number(c->rdi, 106, lesson);
    expect_number(c->rax, 101, lesson);
    expect_number(c->eflags, RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | CARRY | 2, lesson);
    expect_number(c->cr2, cause.address, lesson);
}

static void the_red_zone_stays(void **state)
{
    const uint8_t *bytes = user_at(SP - RED_ZONE, RED_ZONE);

    (void)state;
    pushed();
    for (unsigned i = 0; i < RED_ZONE; i++)
        expect_number(
            bytes[i], 0x11,
            "the interrupted function may keep variables in the 128 bytes below its RSP without moving it "
            "(System V ABI §3.2.2): choose_stack() leaves them out");
    expect_number(*(uint8_t *)user_at(SP, 1), 0x11, "and above RSP is its stack");
}

static void the_floating_point_registers_are_saved(void **state)
{
    (void)state;
    pushed();
    uint64_t at = context()->context.fpstate;
    expect_number(at % 64, 0, "fpstate is at a multiple of 64, as XSAVE wants it");
    expect_bytes(user_at(at, FPU_STATE), fpu_registers, FPU_STATE, "fpu_save() fills it: FPU_STATE bytes");
    expect_true(at >= frame.rdx + sizeof(struct ucontext) || at + FPU_STATE <= frame.rsp,
                "it overlaps nothing else of the frame");
    expect_true(at >= frame.rsi + sizeof(struct siginfo), "it lies above the frame, not below RSP");
}

static void the_handler_runs_forward_and_unstepped(void **state)
{
    (void)state;
    pushed();
    expect_number(frame.rflags & RFLAGS_DF, 0,
                  "a function may count on DF = 0 (System V ABI §3.2.1), whatever was interrupted");
    expect_number(frame.rflags & RFLAGS_TF, 0, "and does not step");
    expect_number(frame.rflags & RFLAGS_IF, RFLAGS_IF, "interrupts stay on");
    expect_true(frame.vector != SYSCALL_VECTOR,
                "the frame is no system call's any more: vector 0, so that RCX and R11 are kept "
                "(IRET) and nothing is started again");
}

static void an_alternate_stack_is_used_if_wanted(void **state)
{
    (void)state;
    host_process.signals.stack = (struct sigaltstack){.sp = USER_END - STACK_BYTES, .size = 8192};
    action.flags |= SA_ONSTACK;
    pushed();
    expect_true(frame.rsp < USER_END - STACK_BYTES + 8192, "SA_ONSTACK: choose_stack() knows where");
    expect_number(context()->stack.size, 8192, "ucontext tells of the alternate stack: uc_stack");
}

static void without_a_stack_nothing_is_changed(void **state)
{
    struct trapframe before = frame;

    (void)state;
    frame.rsp = before.rsp = USER_END - STACK_BYTES + 100; /* no room below */
    expect_number((uint64_t)push(), (uint64_t)-EFAULT,
                  "the frame does not fit on the stack that is there: -EFAULT");
    expect_bytes(&frame, &before, sizeof frame,
                 "and the program's registers are as they were: first copy, then change");
    set_up(state);
    frame.rsp = 64;
    expect_number((uint64_t)push(), (uint64_t)-EFAULT,
                  "a stack pointer near 0 wraps: copy_to_user() says so");
}

/* ---- load_registers, by sigreturn ---- */

/* The handler has returned: its RET has taken the return address. */
static void sigreturn(void)
{
    frame.rsp += 8;
    frame.rax = SIGRETURN;
    frame.vector = SYSCALL_VECTOR;
    host_call(SIGRETURN, 0, 0, 0, 0);
}

static void everything_comes_back(void **state)
{
    struct trapframe before = frame;

    (void)state;
    pushed();
    memset(&frame, 0x77, offsetof(struct trapframe, vector)); /* the handler has used all registers */
    before.vector = 0;
    before.error = frame.error;
    sigreturn();
    expect_bytes(&frame, &before, sizeof frame,
                 "after sigreturn every register is what it was before the signal (vector is 0), in the "
                 "order of struct "
                 "trapframe");
    expect_number(blocked_now, BLOCKED, "and the set of blocked signals, too");
}

static void the_result_of_sigreturn_is_the_old_rax(void **state)
{
    (void)state;
    pushed();
    frame.rsp += 8;
    expect_number((uint64_t)host_call(SIGRETURN, 0, 0, 0, 0), 101,
                  "syscall_dispatch() puts the result into RAX: it must be the RAX that is loaded");
}

static void a_program_cannot_give_itself_the_kernels_flags(void **state)
{
    (void)state;
    pushed();
    context()->context.eflags = RFLAGS_IOPL | RFLAGS_NT | 1ul << 17 | 1ul << 19 | 1ul << 20 | 1ul << 63;
    sigreturn();
    expect_number(frame.rflags & RFLAGS_IOPL, 0,
                  "the program writes to its own stack as it likes. With IOPL 3 it could use every port: "
                  "power off, disk");
    expect_number(frame.rflags & RFLAGS_NT, 0,
                  "NT is not a program's: in 64-bit mode an IRET with NT set faults (Intel SDM 2A, IRET)");
    expect_number(frame.rflags & RFLAGS_IF, RFLAGS_IF,
                  "without IF nothing would ever interrupt it: the CPU would be its own");
    expect_number(frame.rflags & ~(uint64_t)(RFLAGS_IF | 2), 0,
                  "nor VM, VIF, VIP, or bits that do not exist: FLAGS_OF_PROGRAMS");
}

static void a_programs_own_flags_come_back(void **state)
{
    (void)state;
    pushed();
    context()->context.eflags = 0x8d5 | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC;
    sigreturn();
    expect_number(frame.rflags, 0x8d5 | RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_IF | 2,
                  "carry, zero, direction, ... are the program's: its next conditional jump depends on them");
}

static void a_program_cannot_choose_its_segments(void **state)
{
    (void)state;
    pushed();
    context()->context.cs = KERNEL_CS;
    context()->context.ss = KERNEL_DS;
    sigreturn();
    expect_number(frame.cs, USER_CS,
                  "CS holds the privilege: KERNEL_CS from the program's stack would be ring 0 for it");
    expect_number(frame.ss, USER_DS, "and SS");
    set_up(state);
    pushed();
    context()->context.cs = 0x1003;
    sigreturn();
    expect_number(frame.cs, USER_CS, "a selector that does not exist would make IRET fault in the kernel");
}

static void nothing_is_started_again(void **state)
{
    (void)state;
    pushed();
    context()->context.rax = (uint64_t)-ERESTARTSYS;
    sigreturn();
    expect_true(frame.vector != SYSCALL_VECTOR,
                "RAX was the program's own and happens to look like -ERESTARTSYS: with vector still "
                "SYSCALL_VECTOR the hook "
                "would take it for an interrupted call, and put RIP back by two bytes");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_handler_starts_like_a_called_function),
        TEST(the_handler_gets_three_arguments),
        TEST(the_interrupted_registers_are_saved),
        TEST(the_red_zone_stays),
        TEST(the_floating_point_registers_are_saved),
        TEST(the_handler_runs_forward_and_unstepped),
        TEST(an_alternate_stack_is_used_if_wanted),
        TEST(without_a_stack_nothing_is_changed),
        TEST(everything_comes_back),
        TEST(the_result_of_sigreturn_is_the_old_rax),
        TEST(a_program_cannot_give_itself_the_kernels_flags),
        TEST(a_programs_own_flags_come_back),
        TEST(a_program_cannot_choose_its_segments),
        TEST(nothing_is_started_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
