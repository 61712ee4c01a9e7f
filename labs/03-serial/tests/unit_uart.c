/* Lab 3: the 16550A register by register, as its data sheet has it and Linux's 8250 driver expects it. */
/* sources: hypervisor/devices/uart16550.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "devices/console.h"
#include "expect.h"
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
    expect_number(get(LSR), 0x60,
                  "LSR after reset: THRE and TEMT (bits 5, 6), the transmitter is empty; no data (bit 0).");
    expect_number(get(IIR), 0x01,
                  "IIR after reset: bit 0 set means that no interrupt is pending; bits 7, 6: no FIFO.");
    expect_number(get(IER), 0, "IER after reset: no interrupt is wanted.");
    expect_number(get(MCR), 0, "MCR after reset: all outputs are off.");
    expect_number(
        get(MSR), 0xb0,
        "MSR: a peer is there, with CTS, DSR and DCD (bits 4, 5, 7), and nothing has changed (bits 0 to 3).");
    expect_number(get(RBR), 0, "RBR without a byte reads as 0 here, and must not disturb the FIFO.");
}

static void scratch_lcr_mcr_and_ier_keep_their_bits(void **state)
{
    (void)state;
    put(SCR, 0x5a);
    put(LCR, 0x1b);
    put(MCR, 0xff);
    put(IER, 0xff);
    expect_number(get(SCR), 0x5a,
                  "SCR (offset 7) keeps what was written: that is how drivers find the chip.");
    expect_number(get(LCR), 0x1b, "LCR (offset 3) keeps what was written.");
    expect_number(get(MCR), 0x1f,
                  "MCR (offset 4) has five bits: 7 to 5 always read as 0. Later chips have "
                  "features there, and drivers try whether those bits stick.");
    expect_number(get(IER), 0x0f, "IER (offset 1) has four bits, one for each kind of interrupt.");
}

static void dlab_switches_to_the_divisor(void **state)
{
    (void)state;
    put(LCR, 0x83);
    put(THR, 0x0c);
    put(IER, 0x01);
    expect_number(get(RBR), 0x0c, "LCR bit 7 (DLAB): offset 0 is the low byte of the divisor.");
    expect_number(get(IER), 0x01, "and offset 1 its high byte.");
    put(LCR, 0x03);
    expect_number(output_size, 0, "the divisor is not sent.");
    expect_number(get(IER), 0, "nor does it reach IER.");
}

static void written_bytes_are_sent_at_once(void **state)
{
    (void)state;
    put(THR, 'h');
    put(THR, 'i');
    output[output_size] = '\0';
    expect_text(output, "hi", "a byte written to offset 0 (THR) goes to the host: vm_output().");
    expect_number(get(LSR), 0x60,
                  "bytes leave at once, so LSR always says THRE and TEMT; what is sent is not received.");
}

static void a_string_costs_one_write(void **state)
{
    (void)state;
    char text[] = "sixteen bytes...";

    ops->write_string(&(struct access){vm, dev, THR, text, 1, 16, true});
    expect_number(
        (uint64_t)output_calls, 1,
        "the bus gives the device all items of a string at once: one vm_output(), not one for each byte.");
    expect_bytes(output, text, 16, "all bytes, in order.");
}

static void input_waits_until_the_driver_listens(void **state)
{
    (void)state;
    type("early");
    put(FCR, 0x07); /* a driver starts: clears the FIFO */
    expect_number(
        get(LSR), 0x60,
        "nobody listens yet (IER bit 0 is off and this is the first look at LSR): bytes stay on the host.");
    expect_number(get(RBR), 0, "nothing was received.");
    expect_number(get(IIR) & 0x0f, 1, "and nothing interrupts.");
    enable(1);
    expect_number(
        get(RBR), 'e',
        "IER bit 0 was switched on: now the typed bytes come, from the first on. Not a byte was lost.");
}

static void polling_lsr_counts_as_listening(void **state)
{
    (void)state;
    type("p");
    expect_number(get(LSR), 0x60,
                  "the first look at LSR may be for the transmitter: no byte is fetched yet.");
    expect_number(get(LSR), 0x61,
                  "a second one in a row is polling: a byte is fetched, and LSR bit 0 (DR) is set.");
    expect_number(get(RBR), 'p', "RBR gives the byte.");
    expect_number(get(LSR), 0x60, "LSR bit 0 (DR) is off once the last byte is read.");
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
        expect_number(get(LSR) & 3, 1,
                      "LSR: data ready (bit 0), no overrun (bit 1). Fetch only what the FIFO has room for, "
                      "and more when RBR was read.");
        expect_number(get(RBR), (uint8_t)text[i],
                      "300 bytes pass through 16 places in order: first and last of the FIFO go round.");
    }
    expect_number(get(LSR), 0x60, "LSR bit 0 (DR) is off once the last byte is read.");
}

static void received_data_interrupts_at_the_trigger_level(void **state)
{
    (void)state;
    enable(1);
    expect_number((uint64_t)irq_level, 0, "line 4 is low while nothing was received.");
    type("1234567");
    expect_number((uint64_t)irq_level, 1, "line 4 is high while IIR has something to tell.");
    expect_number(get(IIR), 0xcc,
                  "seven bytes, and FCR bits 7, 6 ask for eight: character time-out (1100), because no more "
                  "are on their way.");
    type("8");
    expect_number(get(IIR), 0xc4, "the trigger level is reached: received data available (0100).");
    for (int i = 0; i < 8; i++)
        get(RBR);
    expect_number((uint64_t)irq_level, 0, "the line falls when the last byte is read.");
    expect_number(get(IIR), 0xc1, "IIR: nothing pending (bit 0), FIFOs on (bits 7, 6).");
}

static void out2_gates_the_interrupt(void **state)
{
    (void)state;
    put(IER, 1);
    type("x");
    expect_number((uint64_t)irq_level, 0,
                  "on a PC, OUT2 (MCR bit 3) connects the chip's interrupt to line 4. It is off.");
    put(MCR, 8);
    expect_number((uint64_t)irq_level, 1, "OUT2 is on now, and the byte is still there: the line rises.");
    put(MCR, 0);
    expect_number((uint64_t)irq_level, 0, "OUT2 is off again: the line falls.");
}

static void transmitter_empty_is_told_once(void **state)
{
    (void)state;
    enable(2);
    expect_number(
        (uint64_t)irq_level, 1,
        "IER bit 1 switched on while the transmitter is empty: due at once. Drivers start sending by that.");
    expect_number(get(IIR), 0xc2, "IIR: transmitter holding register empty (0010).");
    expect_number(
        (uint64_t)irq_level, 0,
        "reading IIR takes this one interrupt back (data sheet, table of interrupt control functions).");
    expect_number(get(IIR), 0xc1, "told once: nothing is pending now.");
    put(THR, 'a');
    expect_number((uint64_t)irq_level, 1,
                  "a byte was written and has left: the transmitter is empty again, and says so again.");
    put(IER, 0);
    expect_number((uint64_t)irq_level, 0, "IER is 0: no interrupt is wanted.");
}

static void line_status_has_the_highest_priority(void **state)
{
    (void)state;
    enable(7);
    typed[typed_count++] = CONSOLE_BREAK;
    type("x");
    expect_number(
        get(IIR), 0xc6,
        "a break is at the front: line status (0110) comes before received data and transmitter empty.");
    expect_number(
        get(LSR), 0xf1,
        "LSR: break (bit 4), an error in the FIFO (bit 7), data (bit 0), transmitter empty (bits 5, 6).");
    expect_number(get(LSR), 0x61,
                  "reading LSR clears break; the byte for which it stands is still in the FIFO.");
    expect_number(get(RBR), 0, "a break is received as a zero byte.");
    expect_number(get(IIR), 0xcc, "then the byte behind it: fewer than the trigger, so a time-out.");
    expect_number(get(RBR), 'x', "the byte behind the break.");
    expect_number(get(IIR), 0xc2, "and last the transmitter (0010), which was due all the time.");
}

static void the_break_stays_behind_the_bytes_before_it(void **state)
{
    (void)state;
    enable(1);
    type("a");
    typed[typed_count++] = CONSOLE_BREAK;
    console_ready(vm, dev);
    expect_number(get(LSR), 0xe1,
                  "the break is in the FIFO (bit 7), and not yet at its front (bit 4 off): LSR describes the "
                  "byte that RBR gives next.");
    expect_number(get(RBR), 'a', "the byte before the break.");
    expect_number(get(LSR) & 0x10, 0x10, "now the break is at the front: LSR bit 4.");
}

static void loopback_feeds_the_receiver(void **state)
{
    (void)state;
    put(FCR, 1);
    put(MCR, 0x10);
    put(THR, 'L');
    expect_number(output_size, 0, "in loopback (MCR bit 4) nothing leaves the chip.");
    expect_number(get(LSR) & 1, 1, "what was sent is received: LSR bit 0 (DR).");
    expect_number(get(RBR), 'L', "and RBR gives it.");
}

static void an_empty_fifo_may_be_read(void **state)
{
    (void)state;
    enable(1);
    for (int i = 0; i < 40; i++)
        expect_number(get(RBR), 0,
                      "the guest may read RBR whenever it likes: with nothing received it gets 0.");
    expect_number(get(LSR), 0x60, "and the FIFO is as empty as before: LSR bit 0 (DR) is off.");
    type("z");
    expect_number(get(RBR), 'z', "the next byte to come is the next byte that is read.");
}

static void loopback_overrun_is_reported_once(void **state)
{
    (void)state;
    put(FCR, 1);
    put(MCR, 0x10);
    for (int i = 0; i < 17; i++)
        put(THR, (uint8_t)i);
    expect_number(get(LSR) & 2, 2, "17 bytes, 16 places: one was lost, and LSR bit 1 (OE) must tell.");
    expect_number(get(LSR) & 2, 0, "reading LSR clears OE.");
    for (int i = 0; i < 16; i++)
        expect_number(get(RBR), (uint64_t)i,
                      "with FIFOs the new byte is lost; those that are in the FIFO stay.");
    expect_number(get(LSR) & 1, 0, "16 bytes, and no more.");
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
    expect_number(
        get(IIR), 0x00,
        "modem status (0000): in loopback CTS, DSR and DCD follow our own outputs, so they changed.");
    get(MSR);
    expect_number(get(IIR), 0x01, "reading MSR takes it back.");
}

static void fcr_clears_and_switches_the_fifo(void **state)
{
    (void)state;
    enable(1);
    type("abc");
    expect_number(get(IIR) & 0xc0, 0xc0,
                  "IIR bits 7, 6 say that the FIFOs are on (FCR bit 0): drivers find a 16550A by that.");
    put(FCR, 0x83);
    expect_number(get(LSR) & 1, 0, "FCR bit 1 empties the receiver's FIFO.");
    put(FCR, 0);
    expect_number(get(IIR) & 0xc0, 0, "FCR bit 0 off: a plain 16450, without FIFOs.");
    type("de");
    expect_number(get(RBR), 'd', "without FIFOs there is room for one byte;");
    expect_number(get(RBR), 'e', "the next waits on the host until the first is read.");
    expect_number(get(LSR), 0x60, "both are read.");
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
        TEST(an_empty_fifo_may_be_read),
        TEST(loopback_overrun_is_reported_once),
        TEST(loopback_connects_the_modem_lines),
        TEST(modem_changes_interrupt_last),
        TEST(fcr_clears_and_switches_the_fifo),
        TEST(any_sequence_of_accesses_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
