/* Lab 3: the 16550A register by register, as its data sheet has it and Linux's 8250 driver expects it. */
/* sources: hypervisor/devices/uart16550.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "devices/console.h"
#include "feature.h"

enum { THR, IER, FCR, LCR, MCR, LSR, MSR, SCR, RBR = 0, IIR = 2 };

/* The hypervisor around the device. */
static struct vm *vm;
static const struct bus_ops *ops;
static void *dev;
static void (*console_ready)(struct vm *vm, void *dev);
static char output[256];
static size_t output_size;
static int typed[512], typed_first, typed_count;
static int irq_level, output_calls;

int bus_claim(struct bus *bus, uint64_t base, uint64_t size, const char *name, const struct bus_ops *o,
              void *d)
{
    (void)name;
    assert_ptr_equal(bus, &vm->ports);
    assert_int_equal(base, 0x3f8);
    assert_int_equal(size, 8);
    ops = o;
    dev = d;
    return 0;
}

void *vm_new_device_state(struct vm *v, const char *name, size_t size)
{
    v->states[0] = (struct device_state){name, calloc(1, size), size};
    return v->states[0].state;
}

void console_offer(struct vm *v, void (*ready)(struct vm *vm, void *dev), void *d)
{
    (void)v;
    (void)d;
    console_ready = ready;
}

int console_next(struct vm *v, void *d)
{
    (void)v;
    (void)d;
    return typed_first < typed_count ? typed[typed_first++] : CONSOLE_EMPTY;
}

void vm_output(struct vm *v, const void *data, size_t size)
{
    (void)v;
    memcpy(output + output_size, data, size);
    output_size += size;
    output_calls++;
}

void irq_set_line(struct vm *v, unsigned line, int level)
{
    (void)v;
    assert_int_equal(line, 4);
    irq_level = level;
}

static uint8_t get(unsigned reg)
{
    const struct access a = {.vm = vm, .dev = dev, .offset = reg, .size = 1, .count = 1};

    return (uint8_t)ops->read(&a);
}

static void put(unsigned reg, uint8_t value)
{
    ops->write_string(&(struct access){vm, dev, reg, &value, 1, 1, true});
}

static void type(const char *text)
{
    for (; *text; text++)
        typed[typed_count++] = (uint8_t)*text;
    console_ready(vm, dev);
}

static int setup(void **state)
{
    (void)state;
    vm = calloc(1, sizeof *vm);
    output_size = 0;
    typed_first = typed_count = irq_level = output_calls = 0;
    return __start_features[0]->attach(vm);
}

static int teardown(void **state)
{
    (void)state;
    free(vm->states[0].state);
    free(vm);
    return 0;
}

/* As a driver that wants interrupts sets it up: FIFO on, trigger 8, OUT2. */
static void enable(uint8_t ier)
{
    put(FCR, 0x81);
    put(MCR, 0x0b);
    put(IER, ier);
}

static void after_reset_it_is_idle(void **state)
{
    (void)state;
    assert_int_equal(get(LSR), 0x60); /* transmitter empty, nothing received */
    assert_int_equal(get(IIR), 0x01); /* no interrupt, no FIFO */
    assert_int_equal(get(IER), 0);
    assert_int_equal(get(LCR), 0);
    assert_int_equal(get(MCR), 0);
    assert_int_equal(get(MSR), 0xb0); /* a peer is there: CTS, DSR, DCD */
    assert_int_equal(get(RBR), 0);
}

static void scratch_lcr_mcr_and_ier_keep_their_bits(void **state)
{
    (void)state;
    put(SCR, 0x5a);
    put(LCR, 0x1b);
    put(MCR, 0xff);
    put(IER, 0xff);
    assert_int_equal(get(SCR), 0x5a);
    assert_int_equal(get(LCR), 0x1b);
    assert_int_equal(get(MCR), 0x1f); /* five bits exist: Linux tells a 16550 from a 16750 by that */
    assert_int_equal(get(IER), 0x0f);
}

static void dlab_switches_to_the_divisor(void **state)
{
    (void)state;
    put(LCR, 0x83);
    put(THR, 0x0c);
    put(IER, 0x01);
    assert_int_equal(get(RBR), 0x0c);
    assert_int_equal(get(IER), 0x01);
    put(LCR, 0x03);
    assert_int_equal(output_size, 0); /* the divisor is not sent */
    assert_int_equal(get(IER), 0);
}

static void written_bytes_are_sent_at_once(void **state)
{
    (void)state;
    put(THR, 'h');
    put(THR, 'i');
    assert_memory_equal(output, "hi", 2);
    assert_int_equal(get(LSR), 0x60);
}

static void a_string_costs_one_write(void **state)
{
    (void)state;
    char text[] = "sixteen bytes...";

    ops->write_string(&(struct access){vm, dev, THR, text, 1, 16, true});
    assert_int_equal(output_calls, 1);
    assert_memory_equal(output, "sixteen bytes...", 16);
}

static void input_waits_until_the_driver_listens(void **state)
{
    (void)state;
    type("early");
    put(FCR, 0x07); /* a driver starts: clears the FIFO */
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(RBR), 0);
    assert_int_equal(get(IIR) & 0x0f, 1);
    enable(1);
    assert_int_equal(get(RBR), 'e'); /* not a byte was lost */
}

static void polling_lsr_counts_as_listening(void **state)
{
    (void)state;
    type("p");
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(LSR), 0x61);
    assert_int_equal(get(RBR), 'p');
    assert_int_equal(get(LSR), 0x60);
}

static void a_paste_passes_through_the_fifo_whole(void **state)
{
    (void)state;
    char text[301];

    for (int i = 0; i < 300; i++)
        text[i] = (char)('a' + i % 26);
    text[300] = '\0';
    enable(1);
    type(text);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(get(LSR) & 3, 1); /* data, no overrun */
        assert_int_equal(get(RBR), text[i]);
    }
    assert_int_equal(get(LSR), 0x60);
}

static void received_data_interrupts_at_the_trigger_level(void **state)
{
    (void)state;
    enable(1);
    assert_int_equal(irq_level, 0);
    type("1234567");
    assert_int_equal(irq_level, 1);
    assert_int_equal(get(IIR), 0xcc); /* fewer than eight: character time-out */
    type("8");
    assert_int_equal(get(IIR), 0xc4); /* the level is reached: received data */
    for (int i = 0; i < 8; i++)
        get(RBR);
    assert_int_equal(irq_level, 0);
    assert_int_equal(get(IIR), 0xc1);
}

static void out2_gates_the_interrupt(void **state)
{
    (void)state;
    put(IER, 1);
    type("x");
    assert_int_equal(irq_level, 0);
    put(MCR, 8);
    assert_int_equal(irq_level, 1);
    put(MCR, 0);
    assert_int_equal(irq_level, 0);
}

static void transmitter_empty_is_told_once(void **state)
{
    (void)state;
    enable(2);
    assert_int_equal(irq_level, 1); /* switched on while empty */
    assert_int_equal(get(IIR), 0xc2);
    assert_int_equal(irq_level, 0); /* reading IIR took it back */
    assert_int_equal(get(IIR), 0xc1);
    put(THR, 'a');
    assert_int_equal(irq_level, 1);
    put(IER, 0);
    assert_int_equal(irq_level, 0);
}

static void line_status_has_the_highest_priority(void **state)
{
    (void)state;
    enable(7);
    typed[typed_count++] = CONSOLE_BREAK;
    type("x");
    assert_int_equal(get(IIR), 0xc6);
    assert_int_equal(get(LSR), 0xf1); /* break, error in the FIFO, data */
    assert_int_equal(get(LSR), 0x61); /* reading clears it */
    assert_int_equal(get(RBR), 0);    /* a break is a zero byte */
    assert_int_equal(get(IIR), 0xcc);
    assert_int_equal(get(RBR), 'x');
    assert_int_equal(get(IIR), 0xc2);
}

static void the_break_stays_behind_the_bytes_before_it(void **state)
{
    (void)state;
    enable(1);
    type("a");
    typed[typed_count++] = CONSOLE_BREAK;
    console_ready(vm, dev);
    assert_int_equal(get(LSR), 0xe1); /* not yet at the front: only the FIFO's error bit */
    assert_int_equal(get(RBR), 'a');
    assert_int_equal(get(LSR) & 0x10, 0x10);
}

static void loopback_feeds_the_receiver(void **state)
{
    (void)state;
    put(FCR, 1);
    put(MCR, 0x10);
    put(THR, 'L');
    assert_int_equal(output_size, 0);
    assert_int_equal(get(LSR) & 1, 1);
    assert_int_equal(get(RBR), 'L');
}

static void loopback_overrun_is_reported_once(void **state)
{
    (void)state;
    put(FCR, 1);
    put(MCR, 0x10);
    for (int i = 0; i < 17; i++)
        put(THR, (uint8_t)i);
    assert_int_equal(get(LSR) & 2, 2);
    assert_int_equal(get(LSR) & 2, 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(get(RBR), i);
    assert_int_equal(get(LSR) & 1, 0);
}

static void loopback_connects_the_modem_lines(void **state)
{
    (void)state;
    put(MCR, 0x1a); /* RTS and OUT2: Linux looks for CTS and DCD, 0x90 */
    assert_int_equal(get(MSR) & 0xf0, 0x90);
    get(MSR);
    put(MCR, 0x15);                          /* DTR and OUT1 */
    assert_int_equal(get(MSR), 0x60 | 0x0b); /* CTS, DSR and DCD changed; RI only counts when it ends */
    assert_int_equal(get(MSR), 0x60);
    put(MCR, 0x11);
    assert_int_equal(get(MSR), 0x20 | 0x04); /* the end of RI */
}

static void modem_changes_interrupt_last(void **state)
{
    (void)state;
    put(IER, 8);
    put(MCR, 0x10);
    assert_int_equal(get(IIR), 0x00);
    get(MSR);
    assert_int_equal(get(IIR), 0x01);
}

static void fcr_clears_and_switches_the_fifo(void **state)
{
    (void)state;
    enable(1);
    type("abc");
    assert_int_equal(get(IIR) & 0xc0, 0xc0);
    put(FCR, 0x83);
    assert_int_equal(get(LSR) & 1, 0);
    put(FCR, 0);
    assert_int_equal(get(IIR) & 0xc0, 0);
    type("de"); /* without a FIFO one byte at a time */
    assert_int_equal(get(RBR), 'd');
    assert_int_equal(get(RBR), 'e');
    assert_int_equal(get(LSR), 0x60);
}

static void any_sequence_of_accesses_is_survived(void **state)
{
    (void)state;
    srand(3);
    for (int i = 0; i < 200000; i++) {
        if (rand() % 2)
            get((unsigned)rand() % 8);
        else
            put((unsigned)rand() % 8, (uint8_t)rand());
        output_size = 0;
        typed_first = typed_count = 0;
        typed[typed_count++] = rand() % 257;
        if (rand() % 8 == 0)
            console_ready(vm, dev);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_reset_it_is_idle),
        TEST(scratch_lcr_mcr_and_ier_keep_their_bits),
        TEST(dlab_switches_to_the_divisor),
        TEST(written_bytes_are_sent_at_once),
        TEST(a_string_costs_one_write),
        TEST(input_waits_until_the_driver_listens),
        TEST(polling_lsr_counts_as_listening),
        TEST(a_paste_passes_through_the_fifo_whole),
        TEST(received_data_interrupts_at_the_trigger_level),
        TEST(out2_gates_the_interrupt),
        TEST(transmitter_empty_is_told_once),
        TEST(line_status_has_the_highest_priority),
        TEST(the_break_stays_behind_the_bytes_before_it),
        TEST(loopback_feeds_the_receiver),
        TEST(loopback_overrun_is_reported_once),
        TEST(loopback_connects_the_modem_lines),
        TEST(modem_changes_interrupt_last),
        TEST(fcr_clears_and_switches_the_fifo),
        TEST(any_sequence_of_accesses_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
