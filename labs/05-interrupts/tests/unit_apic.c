/* Lab 5: Moss's interrupt controllers, against two chips that are models: every access to their registers
 * arrives here. */
/* sources: guestos/kernel/apic.c guestos/kernel/irq.c tests/unit/moss_host.c tests/unit/mmio_host.c */
#include "tests/unit/mmio_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/apic.h"
#include "guestos/include/clock.h"
#include "guestos/include/irq.h"
#include "guestos/include/paging.h"
#include "guestos/include/trap.h"

#define OUR_ID 3 /* of the local APIC */
#define MASKED 0x10000
#define BUS_HZ 200000000ul /* what the timer's clock divides */

extern const struct init_call __start_inits[];

static trap_handler *handlers[256];
static uint64_t now; /* nanoseconds */

/* --- the local APIC (Intel SDM 3A §10.4, §10.5.4) --- */

enum {
    ID = 0x20,
    EOI = 0xb0,
    SPURIOUS = 0xf0,
    TIMER = 0x320,
    INITIAL = 0x380,
    CURRENT = 0x390,
    DIVIDE = 0x3e0
};

static uint32_t lapic[0x400];
static unsigned ends, counts_read;
static uint64_t timer_began;
static bool timing;            /* the timer was started, and not looked at since */
static bool late_after_start;  /* once: a delay, when the timer was started */
static bool late_before_look;  /* once: a delay, just before it is looked at */
static uint64_t clock_step_ns; /* from one look at the clock to the next, while it is timed */

static uint64_t timer_hz(void)
{
    unsigned code = (lapic[DIVIDE] & 3) | (lapic[DIVIDE] >> 1 & 4); /* 0: by 2, 1: by 4, ... 7: by 1 */

    return BUS_HZ >> (code + 1) % 8;
}

static void pass(uint64_t ns)
{
    now += ns;
}

static void delay_once(bool *wanted)
{
    if (*wanted)
        pass(5000000);
    *wanted = false;
}

static uint32_t timer_now(void)
{
    uint64_t counted = (now - timer_began) * timer_hz() / NS_PER_SECOND, from = lapic[INITIAL];

    if (counted < from)
        return (uint32_t)(from - counted);
    return lapic[TIMER] & 0x20000 && from ? (uint32_t)(from - counted % from) : 0;
}

/* How often TIMER_VECTOR is raised in so many seconds. */
static uint64_t interrupts_in(uint64_t seconds)
{
    uint64_t counted = seconds * timer_hz();

    if (lapic[TIMER] & MASKED || (lapic[TIMER] & 0xff) != TIMER_VECTOR || !lapic[INITIAL])
        return 0;
    return lapic[TIMER] & 0x20000 ? counted / lapic[INITIAL] : counted >= lapic[INITIAL];
}

static uint32_t lapic_read(unsigned offset)
{
    pass(100);
    if (offset != CURRENT)
        return lapic[offset];
    delay_once(&late_before_look);
    counts_read++;
    timing = false;
    return timer_now();
}

static void lapic_write(unsigned offset, uint32_t value)
{
    pass(100);
    lapic[offset] = value;
    ends += offset == EOI;
    if (offset != INITIAL)
        return;
    timer_began = now;
    timing = true;
    delay_once(&late_after_start);
}

uint64_t clock_ns(void)
{
    pass(timing ? clock_step_ns : 100);
    return now;
}

/* --- the IOAPIC (82093AA §3.2) --- */

static uint32_t ioapic_index, words[2 * IRQ_LINES], receiver_when_opened[IRQ_LINES];

static uint32_t ioapic_read(unsigned offset)
{
    return offset == 0 ? ioapic_index : words[ioapic_index - 0x10];
}

static void ioapic_write(unsigned offset, uint32_t value)
{
    if (offset == 0) {
        ioapic_index = value;
        return;
    }
    expect_number(offset, 0x10, "the IOAPIC has an index at offset 0 and a window at offset 0x10");
    expect_true(ioapic_index >= 0x10 && ioapic_index < 0x10 + 2 * IRQ_LINES,
                "line n has the two registers 0x10 + 2n and 0x11 + 2n: REDIRECTION(n), and the next one");
    unsigned word = ioapic_index - 0x10;
    if (word % 2 == 0 && words[word] & MASKED && !(value & MASKED))
        receiver_when_opened[word / 2] = words[word + 1] >> 24;
    words[word] = value;
}

/* --- the kernel around them --- */

volatile void *map_device(uint64_t physical, size_t size)
{
    static struct mmio_host local = {.read = lapic_read, .write = lapic_write};
    static struct mmio_host io = {.read = ioapic_read, .write = ioapic_write};

    expect_number(size, PAGE_SIZE, "each has one page of registers");
    return mmio_host_map(physical == 0xfee00000 ? &local : &io);
}

void out8(uint16_t port, uint8_t value)
{
    (void)port, (void)value;
}

void trap_handle(unsigned vector, trap_handler *handler)
{
    handlers[vector] = handler;
}

static void start(void)
{
    lapic[ID] = OUR_ID << 24;
    clock_step_ns = 1000;
    for (unsigned line = 0; line < IRQ_LINES; line++)
        words[2 * line] = MASKED;
    __start_inits[0].call();
}

static void interrupt(unsigned vector)
{
    struct trapframe frame = {.vector = vector};

    expect_true(handlers[vector], "every line's vector has a handler");
    handlers[vector](&frame);
}

static void *handled;
static unsigned handled_count, ends_before;

static void handler(void *arg)
{
    handled = arg;
    handled_count++;
    ends_before = ends;
}

/* --- lines --- */

static void a_line_raises_its_vector(void **state)
{
    (void)state;
    start();
    irq_claim(5, handler, NULL);
    irq_claim(23, handler, NULL);
    expect_number(words[10] & 0xff, 37, "bits 7..0 of line 5's entry are the vector: IRQ_VECTOR + 5");
    expect_number(words[46] & 0xff, 55, "bits 7..0 of line 23's entry are the vector: IRQ_VECTOR + 23");
    expect_number(words[10] >> 8 & 0xf, 0,
                  "bits 11..8 are 0: delivered as it is, to the CPU whose APIC has the number (physical)");
}

static void a_line_that_was_claimed_is_let_through(void **state)
{
    (void)state;
    start();
    irq_claim(4, handler, NULL);
    expect_number(words[8] & MASKED, 0, "bit 16 masks the line: it must be off");
}

static void a_line_is_edge_triggered_and_active_when_high(void **state)
{
    (void)state;
    start();
    irq_claim(11, handler, NULL);
    expect_number(
        words[22] >> 15 & 1, 0,
        "bit 15 is 0: edge-triggered. With 1 the line would interrupt again and again while it is high");
    expect_number(words[22] >> 13 & 1, 0,
                  "bit 13 is 0: active when high. With 1 it would interrupt while nothing happens");
    expect_number(words[22] & MASKED, 0, "and bit 16, the mask, is off");
}

static void it_goes_to_the_cpu_that_runs(void **state)
{
    (void)state;
    start();
    irq_claim(4, handler, NULL);
    expect_number(
        words[9] >> 24, OUR_ID,
        "bits 63..56 of the entry are the number of the APIC that is interrupted, here 3: they are the "
        "highest byte of the second register of the line");
}

static void a_line_opens_when_its_entry_is_complete(void **state)
{
    (void)state;
    start();
    irq_claim(4, handler, NULL);
    expect_number(words[8] & MASKED, 0, "the line must be open in the end");
    expect_number(receiver_when_opened[4], OUR_ID,
                  "an entry is two registers. When the mask in the lower one goes off, an interrupt may come "
                  "at once, so the "
                  "upper one must have the receiver by then");
}

static void nothing_is_said_about_other_lines(void **state)
{
    (void)state;
    start();
    irq_claim(7, handler, NULL);
    for (unsigned word = 0; word < 2 * IRQ_LINES; word++)
        if (word / 2 != 7)
            expect_number(words[word], word % 2 ? 0 : MASKED, "only the two registers of line 7 are written");
    expect_number(words[14] & 0xff, 39, "and these are");
}

static void lines_claimed_earlier_are_opened_at_the_start(void **state)
{
    (void)state;
    irq_claim(4, handler, NULL);
    start();
    expect_number(
        words[8], 36,
        "a driver may claim a line before the controller is there: irq_set_controller() tells of it");
    expect_number(words[9] >> 24, OUR_ID, "with its receiver");
}

/* --- interrupts --- */

static void the_lines_handler_is_called(void **state)
{
    int mine, other;

    (void)state;
    start();
    irq_claim(5, handler, &mine);
    irq_claim(6, handler, &other);
    interrupt(37);
    expect_number(handled_count, 1, "one interrupt, one call");
    expect_true(handled == &mine,
                "vector 37 is line 5: a frame has the vector, irq_dispatch() wants the line");
}

static void the_end_of_an_interrupt_is_told(void **state)
{
    (void)state;
    start();
    irq_claim(5, handler, NULL);
    interrupt(37);
    expect_number(
        ends, 1,
        "apic_eoi() once. Without it the local APIC holds back every interrupt of this priority and below");
    interrupt(37);
    expect_number(ends, 2, "and so each time");
}

static void the_end_comes_after_the_handler(void **state)
{
    (void)state;
    start();
    irq_claim(5, handler, NULL);
    interrupt(37);
    expect_number(handled_count, 1, "the handler is called");
    expect_number(ends_before, 0,
                  "EOI says that the device was looked after. A line that is level-triggered would interrupt "
                  "again at once "
                  "if it came before");
    expect_number(ends, 1, "so it comes behind");
}

static void an_interrupt_that_nobody_wants_ends_too(void **state)
{
    (void)state;
    start();
    interrupt(40);
    expect_number(handled_count, 0, "nobody claimed line 8");
    expect_number(ends, 1, "the local APIC waits for EOI whether there is a handler or not");
}

/* --- the timer --- */

static void expect_count(const char *lesson)
{
    const uint64_t right = BUS_HZ / 16 / TICKS_PER_SECOND;

    if (lapic[INITIAL] < right - right / 100 || lapic[INITIAL] > right + right / 100)
        fail_msg("the timer counts %u for a tick; %lu would be right (within 1 %%)\n%s", lapic[INITIAL],
                 right, lesson);
}

static void a_tick_is_a_hundredth_of_a_second(void **state)
{
    (void)state;
    start();
    apic_start_tick();
    expect_number(lapic[DIVIDE], 3, "divide by 16, as when it was measured: code 0011");
    expect_count("so many counts, at 12.5 MHz, are 10 ms: how far it counted, by the time in which it did");
}

static void the_timer_goes_on_by_itself(void **state)
{
    (void)state;
    start();
    apic_start_tick();
    expect_number(lapic[TIMER] >> 17 & 3, 1,
                  "bits 18..17 are 01: periodic. A timer that is started anew at each interrupt loses a "
                  "little time each time");
    expect_true(interrupts_in(10) >= 990 && interrupts_in(10) <= 1010,
                "so there are 1,000 interrupts in 10 seconds");
}

static void the_tick_has_a_vector_and_is_let_through(void **state)
{
    (void)state;
    start();
    apic_start_tick();
    expect_number(lapic[TIMER] & 0xff, TIMER_VECTOR, "bits 7..0 of the timer's entry are the vector");
    expect_number(lapic[TIMER] & MASKED, 0, "bit 16 masks it: it must be off");
}

static void the_time_that_really_passed_counts(void **state)
{
    (void)state;
    start();
    clock_step_ns = 300000;
    apic_start_tick();
    expect_count("the wait ends at the first look at the clock after 1 ms: that may be later, as here by 0.2 "
                 "ms. Divide by the time "
                 "that the clock says, not by the time that was meant");
}

static void a_delay_after_the_start_makes_no_slow_tick(void **state)
{
    (void)state;
    start();
    late_after_start = true;
    apic_start_tick();
    expect_count("the host may stop us at any instruction, as here for 5 ms right behind the start of the "
                 "timer. Look at the "
                 "clock before you start it: then a delay makes the result too low, and the largest of some "
                 "rounds is right");
}

static void a_delay_before_the_look_makes_no_slow_tick(void **state)
{
    (void)state;
    start();
    late_before_look = true;
    apic_start_tick();
    expect_count("the host may stop us at any instruction, as here for 5 ms before the count is read. Look "
                 "at the clock "
                 "again after you have read it: then a delay makes the result too low, and the largest of "
                 "some rounds is right");
}

static void another_cpu_starts_without_measuring(void **state)
{
    (void)state;
    start();
    apic_start_tick();
    uint32_t count = lapic[INITIAL];
    memset(lapic, 0, sizeof lapic); /* its registers are its own */
    counts_read = 0;
    apic_start_tick();
    expect_number(counts_read, 0,
                  "all local APICs run at one rate: it is measured once, and timer_count remembers");
    expect_number(lapic[INITIAL], count, "the other CPU's timer counts as far");
    expect_number(lapic[DIVIDE], 3,
                  "and as fast: each CPU has its own divider, which divides by 2 after reset");
    expect_number(lapic[TIMER], 0x200f0, "periodic, and with the vector");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_raises_its_vector),
        cmocka_unit_test(a_line_that_was_claimed_is_let_through),
        cmocka_unit_test(a_line_is_edge_triggered_and_active_when_high),
        cmocka_unit_test(it_goes_to_the_cpu_that_runs),
        cmocka_unit_test(a_line_opens_when_its_entry_is_complete),
        cmocka_unit_test(nothing_is_said_about_other_lines),
        cmocka_unit_test(lines_claimed_earlier_are_opened_at_the_start),
        cmocka_unit_test(the_lines_handler_is_called),
        cmocka_unit_test(the_end_of_an_interrupt_is_told),
        cmocka_unit_test(the_end_comes_after_the_handler),
        cmocka_unit_test(an_interrupt_that_nobody_wants_ends_too),
        cmocka_unit_test(a_tick_is_a_hundredth_of_a_second),
        cmocka_unit_test(the_timer_goes_on_by_itself),
        cmocka_unit_test(the_tick_has_a_vector_and_is_let_through),
        cmocka_unit_test(the_time_that_really_passed_counts),
        cmocka_unit_test(a_delay_after_the_start_makes_no_slow_tick),
        cmocka_unit_test(a_delay_before_the_look_makes_no_slow_tick),
        cmocka_unit_test(another_cpu_starts_without_measuring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
