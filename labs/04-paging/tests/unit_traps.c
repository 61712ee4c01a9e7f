/* Moss's interrupt descriptor table, as the CPU reads it, and who is called for a trap. */
/* sources: guestos/kernel/traps.c tests/unit/moss_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/init.h"
#include "guestos/include/ksyms.h"
#include "guestos/include/layout.h"
#include "guestos/include/printk.h"
#include "guestos/include/trap.h"

#define MAY_FAULT 0xffffffff80101000ul
#define FIXED     0xffffffff80102000ul

extern const struct init_call __start_inits[];
void trap_dispatch(struct trapframe *frame);

/* What the kernel's other files have. */
const char trap_vectors[256 * 16];
bool cpu_has_smap;
static const uint64_t fixups[] __attribute__((used, section("extable"))) = {MAY_FAULT, FIXED};

void warn(const char *fmt, ...)
{
    (void)fmt;
}

static bool backtrace_faults;

/* With a bad frame pointer, it reads where nothing is mapped. */
void print_backtrace(uint64_t rip, uint64_t rbp)
{
    struct trapframe frame = {.vector = 14, .cs = KERNEL_CS};

    (void)rip, (void)rbp;
    if (backtrace_faults)
        trap_dispatch(&frame);
}

void symbol_name(uint64_t address, char *to, size_t size)
{
    (void)address;
    snprintf(to, size, "?");
}

/* The words of a gate (Intel SDM 3A §6.14.1). */
static uint64_t low(unsigned vector)
{
    uint64_t words[2];

    memcpy(words, (const uint8_t *)cpu_host_idt + vector * 16, 16);
    return words[0];
}

static uint64_t high(unsigned vector)
{
    uint64_t words[2];

    memcpy(words, (const uint8_t *)cpu_host_idt + vector * 16, 16);
    return words[1];
}

static void load(void)
{
    cpu_host_begin();
    __start_inits[0].call();
    expect_number(cpu_host_idt_limit, 256 * 16 - 1, "the limit is the last byte of 256 gates of 16 bytes");
}

static void every_gate_leads_to_its_entry(void **state)
{
    (void)state;
    load();
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t entry = (uint64_t)trap_vectors + vector * 16;
        expect_number(
            low(vector) & 0xffff, entry & 0xffff,
            "bits 15..0 of a gate are bits 15..0 of the handler's address. The entries of trap_vectors are "
            "16 bytes apart (kernel/trap_entry.S)");
        expect_number(low(vector) >> 48, entry >> 16 & 0xffff,
                      "bits 63..48 of a gate are bits 31..16 of the address (offset_middle)");
        expect_number(
            high(vector) & 0xffffffff, entry >> 32,
            "bits 95..64 of a gate are bits 63..32 of the address (offset_high): the kernel is far up");
        expect_number(high(vector) >> 32, 0, "the last 4 bytes of a gate are reserved: 0");
    }
}

static void handlers_run_in_the_kernels_segment_with_interrupts_off(void **state)
{
    (void)state;
    load();
    for (unsigned vector = 0; vector < 256; vector++) {
        expect_number(low(vector) >> 16 & 0xffff, KERNEL_CS,
                      "bits 31..16 of a gate are the code segment's selector");
        expect_number(low(vector) >> 40 & 0x1f, 0xe,
                      "bits 44..40 are 0xE: an interrupt gate, which clears IF");
        expect_number(low(vector) >> 47 & 1, 1, "bit 47 is the present bit");
    }
}

static void programs_may_raise_a_breakpoint_only(void **state)
{
    (void)state;
    load();
    for (unsigned vector = 0; vector < 256; vector++)
        expect_number(
            low(vector) >> 45 & 3, vector == TRAP_BREAKPOINT ? 3 : 0,
            "bits 46..45 are the ring that may use the gate by INT: 3 for INT3, whose type is GATE_USER; "
            "with 3 elsewhere a program could fake a page fault");
}

static void a_double_fault_has_a_stack_of_its_own(void **state)
{
    (void)state;
    load();
    for (unsigned vector = 0; vector < 256; vector++)
        expect_number(
            low(vector) >> 32 & 0xff, vector == TRAP_DOUBLE_FAULT ? 1 : 0,
            "bits 34..32 are the IST: 1 for vector 8, which comes when the stack in use is no good; 0 for "
            "all others, which must not overwrite each other's frames");
}

/* ---- what is called ---- */

static const struct trapframe *handled;

static void handler(struct trapframe *frame)
{
    handled = frame;
}

static void a_vector_has_its_handler(void **state)
{
    struct trapframe frame = {.vector = 77, .cs = KERNEL_CS};

    (void)state;
    trap_handle(77, handler);
    trap_dispatch(&frame);
    assert_ptr_equal(handled, &frame);
    expect_panic("has two handlers", trap_handle(77, handler));
}

static struct trap_began watched;

static void watch(const struct trapframe *frame, const struct trap_began *began)
{
    (void)frame;
    watched = *began;
}

/* As a page fault that sleeps until the disk has answered: others fault meanwhile, and execve is another
 * frame. */
static void sleeping_handler(struct trapframe *frame)
{
    cpu_host_cr2 = 0x2000;
    frame->error = 0;
}

static void a_watcher_sees_a_trap_as_it_began(void **state)
{
    struct trapframe frame = {.vector = 78, .cs = KERNEL_CS, .error = 6};

    (void)state;
    cpu_host_begin();
    trap_handle(78, sleeping_handler);
    trap_watcher = watch;
    cpu_host_cr2 = 0x1000;
    trap_dispatch(&frame);
    trap_watcher = NULL;
    expect_number(watched.vector, 78, "its vector");
    expect_number(watched.error, 6, "its error code");
    expect_number(watched.cr2, 0x1000, "CR2 as it was: the handler may sleep, and others fault meanwhile");
}

static void an_exception_where_the_kernel_may_fault_goes_on_behind(void **state)
{
    struct trapframe frame = {.vector = 13, .cs = KERNEL_CS, .rip = MAY_FAULT};

    (void)state;
    cpu_host_begin();
    trap_dispatch(&frame);
    assert_int_equal(frame.rip, FIXED);
    expect_panic("general protection (vector 13) in the kernel", trap_dispatch(&frame));
}

static void a_fault_while_telling_of_a_fault_ends_it(void **state)
{
    struct trapframe frame = {.vector = 13, .cs = KERNEL_CS};

    (void)state;
    cpu_host_begin();
    backtrace_faults = true;
    expect_panic("page fault (vector 14) while telling of the one before", trap_dispatch(&frame));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gate_leads_to_its_entry),
        cmocka_unit_test(handlers_run_in_the_kernels_segment_with_interrupts_off),
        cmocka_unit_test(programs_may_raise_a_breakpoint_only),
        cmocka_unit_test(a_double_fault_has_a_stack_of_its_own),
        cmocka_unit_test(a_vector_has_its_handler),
        cmocka_unit_test(a_watcher_sees_a_trap_as_it_began),
        cmocka_unit_test(an_exception_where_the_kernel_may_fault_goes_on_behind),
        cmocka_unit_test(a_fault_while_telling_of_a_fault_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
