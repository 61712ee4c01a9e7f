/* A system call on its way through the kernel: who does it, with what, and how the program goes on. */
/* sources: guestos/proc/syscall.c tests/unit/moss_host.c tests/unit/process_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/errno.h"
#include "guestos/include/init.h"

#define RIP    0x401002ul
#define RESULT 4321
#define LAST   511 /* the table's last number */

extern const struct init_call __start_inits[];
bool syscall_dispatch(struct trapframe *frame);

void (*trap_watcher)(const struct trapframe *frame, const struct trap_began *began);
static struct trapframe frame;
static uint64_t got[6];
static unsigned called, left, seen_before, seen_after;
static bool interrupts_in_call, interrupts_at_end;
static const struct trapframe *frame_in_call;
static void (*on_call)(void), (*on_leave)(void);
static uint64_t number_before, result_after;

void syscall_entry(void)
{
}

static ssize_t sys_six(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    memcpy(got, (uint64_t[]){a, b, c, d, e, f}, sizeof got);
    called++;
    interrupts_in_call = cpu_host_irq_on;
    frame_in_call = host_process.frame;
    if (on_call)
        on_call();
    return RESULT;
}

static ssize_t sys_last(void)
{
    called++;
    return RESULT;
}

SYSCALL(77, sys_six);
SYSCALL(LAST, sys_last);

void trap_leave(struct trapframe *f)
{
    left++;
    interrupts_at_end = cpu_host_irq_on;
    expect_true(f == &frame, "trap_leave() gets the frame of this call");
    if (on_leave)
        on_leave();
}

static void before(struct process *process, const struct trapframe *f)
{
    (void)process;
    seen_before++;
    number_before = f->rax;
    expect_number(called, 0, "the watcher's before() comes before the call");
}

static void after(struct process *process, const struct trapframe *f)
{
    (void)process;
    seen_after++;
    result_after = f->rax;
    expect_number(left, 0, "the watcher's after() comes before trap_leave(), which may not come back");
}

static int set_up(void **state)
{
    (void)state;
    process_host_begin();
    frame = (struct trapframe){.rax = 77,
                               .rdi = 1,
                               .rsi = 2,
                               .rdx = 3,
                               .r10 = 4,
                               .r8 = 5,
                               .r9 = 6,
                               .rcx = RIP,
                               .r11 = RFLAGS_IF,
                               .rip = RIP,
                               .rflags = RFLAGS_IF | 2,
                               .cs = USER_CS,
                               .ss = USER_DS,
                               .rsp = 0x7000,
                               .vector = SYSCALL_VECTOR,
                               .error = 77};
    called = left = seen_before = seen_after = 0;
    on_call = on_leave = NULL;
    return 0;
}

/* As syscall_entry.S does it. */
static bool dispatch(void)
{
    cpu_host_begin();
    __start_inits[0].call(); /* fills the table of calls */
    cpu_host_irq_on = false;
    return syscall_dispatch(&frame);
}

static void a_call_gets_its_six_arguments(void **state)
{
    static const uint64_t expected[] = {1, 2, 3, 4, 5, 6};

    (void)state;
    dispatch();
    expect_number(called, 1, "the number in RAX is the call's: syscall_find() knows its function");
    expect_bytes(
        got, expected, sizeof got,
        "the arguments are in RDI, RSI, RDX, R10, R8, R9. Not in RCX, as for a function: SYSCALL itself "
        "overwrites RCX with the program's RIP (AMD APM 2 §6.1.1)");
}

static void an_unknown_number_is_enosys(void **state)
{
    static const uint64_t numbers[] = {0, 78, LAST - 1, LAST + 1, 4096, UINT64_MAX, 1ul << 63};

    (void)state;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        frame.rax = frame.error = numbers[i];
        dispatch();
        expect_number(frame.rax, (uint64_t)-ENOSYS,
                      "a number that no call has, be it inside the table or far outside, gives -ENOSYS: the "
                      "program chooses it freely");
        frame.vector = SYSCALL_VECTOR;
    }
    expect_number(called, 0, "no function was called");
    frame.rax = LAST;
    dispatch();
    expect_number(frame.rax, RESULT, "the last number of the table is a number like the others");
}

static void the_result_goes_to_rax(void **state)
{
    (void)state;
    dispatch();
    expect_number(frame.rax, RESULT, "the program finds the result in RAX: put it into the frame");
    expect_number(frame.rdi, 1, "all other registers are as they were");
}

static void a_call_runs_with_interrupts_on(void **state)
{
    (void)state;
    dispatch();
    expect_true(interrupts_in_call,
                "SYSCALL turned interrupts off (SFMASK). A call may take long, and may sleep: on again");
    expect_number(left, 1, "trap_leave() runs the hooks: signals and the end of a time slice wait for it");
    expect_true(!interrupts_at_end, "trap_leave() wants them off");
    expect_true(!cpu_host_irq_on, "and off they stay: behind us the stack pointer is the program's");
}

static void the_call_can_find_the_programs_registers(void **state)
{
    (void)state;
    dispatch();
    expect_true(
        frame_in_call == &frame,
        "fork, execve and sigreturn look for the program's registers in process->frame: set it before "
        "the call");
}

static void sysret_goes_on_where_the_program_was(void **state)
{
    (void)state;
    expect_true(dispatch(), "nothing is in the way of SYSRET here: the same RIP, a program's address, no TF");
}

static void check_rip(uint64_t rip, bool expected, const char *lesson)
{
    frame.rip = frame.rcx = rip;
    frame.rax = 77;
    expect_true(dispatch() == expected, lesson);
}

static void sysret_is_for_addresses_of_programs_only(void **state)
{
    (void)state;
    check_rip(USER_END - 1, true, "below USER_END every address is a program's: SYSRET");
    check_rip(USER_END, false, "USER_END itself is not a program's");
    check_rip(
        1ul << 47, false,
        "a program whose SYSCALL is the last instruction below 2^47 goes on at a non-canonical address. On "
        "Intel's CPUs SYSRET then faults in ring 0, but with the program's stack: it would own the kernel "
        "(CVE-2012-0217). IRET");
    check_rip(0xffffffff80100000, false, "and never to an address of the kernel's half");
}

static void signal_handler_runs(void)
{
    frame.rip = 0x402000;
}

static void single_steps(void)
{
    frame.rflags |= RFLAGS_TF;
}

static void sigreturn(void)
{
    frame.vector = 0;
}

static void a_frame_that_was_changed_needs_iret(void **state)
{
    (void)state;
    on_leave = signal_handler_runs;
    expect_true(!dispatch(),
                "trap_leave() has put the handler of a signal in the program's way: its first RCX and "
                "R11 are the frame's, and SYSRET would use RIP and flags for them. IRET");
    on_leave = NULL;
    set_up(state);
    on_call = signal_handler_runs;
    expect_true(!dispatch(), "execve has changed RIP: look at it as it was before the call, too. IRET");
    set_up(state);
    on_call = sigreturn;
    expect_true(!dispatch(),
                "after sigreturn the frame is that of an interrupted instruction (vector is no longer "
                "SYSCALL_VECTOR), whose RCX and R11 SYSRET would destroy, even if RIP is the same. IRET");
}

static void a_program_that_steps_itself_needs_iret(void **state)
{
    (void)state;
    on_leave = single_steps;
    expect_true(!dispatch(), "with TF set, SYSRET traps at once, before the next instruction of the program, "
                             "and IRET behind it: a program that steps itself would stay where it is. IRET");
}

static void who_watches_sees_number_and_result(void **state)
{
    static const struct syscall_watcher watcher = {.before = before, .after = after};

    (void)state;
    dispatch();
    expect_number(seen_before + seen_after, 0, "a process that is not watched has no watcher");
    set_up(state);
    syscall_watcher = &watcher;
    host_process.watched = &frame;
    dispatch();
    expect_number(seen_before, 1, "before() of the watcher, if the process is watched");
    expect_number(number_before, 77, "RAX still is the number then");
    expect_number(seen_after, 1, "after() too");
    expect_number(result_after, RESULT, "RAX is the result then");
}

static void syscall_keeps_programs_flags_out(void **state)
{
    (void)state;
    dispatch();
    expect_number(cpu_host_msr(MSR_LSTAR), (uint64_t)syscall_entry, "LSTAR is where SYSCALL goes");
    uint64_t mask = cpu_host_msr(MSR_SFMASK);
    expect_number(mask & (RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_AC),
                  RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_AC, "SYSCALL clears the flags in SFMASK");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_gets_its_six_arguments),
        TEST(an_unknown_number_is_enosys),
        TEST(the_result_goes_to_rax),
        TEST(a_call_runs_with_interrupts_on),
        TEST(the_call_can_find_the_programs_registers),
        TEST(sysret_goes_on_where_the_program_was),
        TEST(sysret_is_for_addresses_of_programs_only),
        TEST(a_frame_that_was_changed_needs_iret),
        TEST(a_program_that_steps_itself_needs_iret),
        TEST(who_watches_sees_number_and_result),
        TEST(syscall_keeps_programs_flags_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
