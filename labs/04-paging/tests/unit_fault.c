/* Moss's page-fault handler: who is asked, in which order, and that the rest is the end. */
/* sources: guestos/mm/fault.c tests/unit/moss_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/fault.h"
#include "guestos/include/init.h"
#include "guestos/include/printk.h"

#define ADDRESS 0xffff8000deadb000ul
#define RIP     0xffffffff80101234ul
#define RBP     0xffffffff80200000ul

extern const struct init_call __start_inits[];

static trap_handler *handlers[256];
static unsigned resolver_asked, fixup_asked, registers_printed;
static bool resolver_says, fixup_says;
static uint64_t asked_about, backtrace_rip, backtrace_rbp;
static const struct trapframe *asked_frame;
static char said[1024];

void trap_handle(unsigned vector, trap_handler *handler)
{
    handlers[vector] = handler;
}

bool trap_fixup(struct trapframe *frame)
{
    (void)frame;
    fixup_asked++;
    return fixup_says;
}

void print_registers(const struct trapframe *frame)
{
    (void)frame;
    registers_printed++;
}

void print_backtrace(uint64_t rip, uint64_t rbp)
{
    backtrace_rip = rip;
    backtrace_rbp = rbp;
}

void warn(const char *fmt, ...)
{
    size_t used = strlen(said);
    va_list args;

    va_start(args, fmt);
    vsnprintf(said + used, sizeof said - used, fmt, args);
    va_end(args);
}

static bool resolver(uint64_t address, struct trapframe *frame)
{
    resolver_asked++;
    asked_about = address;
    asked_frame = frame;
    return resolver_says;
}

static int set_up(void **state)
{
    (void)state;
    resolver_asked = fixup_asked = registers_printed = 0;
    resolver_says = fixup_says = false;
    *said = 0;
    cpu_host_cr2 = ADDRESS;
    fault_set_resolver(resolver);
    if (!handlers[TRAP_PAGE_FAULT])
        __start_inits[0].call();
    return 0;
}

static struct trapframe kernel_frame(void)
{
    return (struct trapframe){
        .vector = TRAP_PAGE_FAULT, .cs = KERNEL_CS, .error = FAULT_WRITE, .rip = RIP, .rbp = RBP};
}

static void fault(struct trapframe *frame)
{
    cpu_host_begin();
    handlers[TRAP_PAGE_FAULT](frame);
}

static void the_manager_of_memory_is_asked_first(void **state)
{
    struct trapframe frame = kernel_frame();

    (void)state;
    resolver_says = fixup_says = true;
    fault(&frame);
    expect_number(resolver_asked, 1, "the function given to fault_set_resolver() decides first");
    expect_number(
        asked_about, ADDRESS,
        "it gets the address of the access: the CPU leaves it in CR2 (Intel SDM 3A §4.7), and RIP is only "
        "where the instruction lies");
    expect_true(asked_frame == &frame, "and the trapframe, whose error code says what the access was");
    expect_number(
        fixup_asked, 0,
        "it said true: the instruction is tried again. A fix-up now would give up a copy that can go on");
    expect_number(registers_printed + strlen(said), 0, "a fault that is resolved is nothing to talk about");
}

static void the_kernel_goes_on_where_it_may_fault(void **state)
{
    struct trapframe frame = kernel_frame();

    (void)state;
    fixup_says = true;
    fault(&frame);
    expect_number(resolver_asked, 1, "first the resolver, which says false here");
    expect_number(fixup_asked, 1, "then, since the fault came from the kernel: trap_fixup()");
    expect_number(registers_printed + strlen(said), 0,
                  "it said true: the kernel goes on at its fix-up, silently");
}

static void without_a_manager_nothing_is_called(void **state)
{
    struct trapframe frame = kernel_frame();

    (void)state;
    fault_set_resolver(NULL);
    fixup_says = true;
    fault(&frame);
    expect_number(fixup_asked, 1,
                  "as long as nobody called fault_set_resolver() there is none to ask; fix-ups count");
}

static void what_nobody_resolves_is_the_end(void **state)
{
    struct trapframe frame = kernel_frame();

    (void)state;
    expect_panic("page fault at ffff8000deadb000", fault(&frame));
    expect_contains(said, "tried to write ffff8000deadb000", "explain() gets the address and the error code");
    expect_number(registers_printed, 1, "print_registers() shows the frame");
    expect_number(backtrace_rip, RIP, "the backtrace begins at the instruction that faulted, frame->rip");
    expect_number(backtrace_rbp, RBP, "and follows the frame pointers from frame->rbp");
}

static void a_programs_fault_is_never_fixed_up(void **state)
{
    struct trapframe frame = kernel_frame();

    (void)state;
    frame.cs = USER_CS;
    frame.error |= FAULT_USER;
    fixup_says = true;
    expect_panic("page fault at", fault(&frame));
    expect_number(fixup_asked, 0,
                  "fix-ups are the kernel's: frames that are from_user() have none, whatever their RIP");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_manager_of_memory_is_asked_first), TEST(the_kernel_goes_on_where_it_may_fault),
        TEST(without_a_manager_nothing_is_called),  TEST(what_nobody_resolves_is_the_end),
        TEST(a_programs_fault_is_never_fixed_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
