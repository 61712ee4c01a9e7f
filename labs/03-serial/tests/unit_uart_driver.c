/* Lab 3: Moss's driver for the 16550, against a chip that has a register for a register and a note of each
 * write. */
/* sources: guestos/drivers/uart.c guestos/kernel/irq.c guestos/kernel/console.c tests/unit/moss_host.c */
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/console.h"
#include "guestos/include/irq.h"

#define PORT 0x3f8
#define LINE 4

enum { DATA, IER, FCR, LCR, MCR, LSR, MSR, SCR, IIR = 2 };
enum { DATA_READY = 1, BREAK = 16, THR_EMPTY = 32 };

extern const struct init_call __start_inits[];

/* --- the chip --- */

static bool fitted;      /* otherwise all reads give ones, and writes go nowhere */
static uint8_t ports[8]; /* as last written */
static int received[32]; /* -1: a break */
static unsigned first, count;
static char sent[128];
static unsigned sent_count, in_fifo, busy, overrun;
static unsigned reads[8];

static uint8_t line_status(void)
{
    uint8_t status = (uint8_t)(first < count ? DATA_READY | (received[first] < 0 ? BREAK : 0) : 0);

    if (busy > 0 && --busy == 0)
        in_fifo = 0;
    return busy ? status : status | THR_EMPTY;
}

static uint8_t next_received(void)
{
    int item = first < count ? received[first++] : 0;

    return (uint8_t)(item < 0 ? 0 : item);
}

uint8_t in8(uint16_t port)
{
    unsigned reg = port - PORT;

    assert_in_range(port, PORT, PORT + 7);
    reads[reg]++;
    if (!fitted)
        return 0xff;
    if (reg == DATA)
        return next_received();
    if (reg == LSR)
        return line_status();
    return reg == IIR ? 0xc1 : ports[reg];
}

void out8(uint16_t port, uint8_t value)
{
    if (port == 0xe9) /* the debug port */
        return;
    assert_in_range(port, PORT, PORT + 7);
    if (!fitted)
        return;
    if (port != PORT) {
        ports[port - PORT] = value;
        return;
    }
    overrun += in_fifo == 16;
    in_fifo += in_fifo < 16;
    busy = 3; /* the FIFO is empty again when LSR was read that often */
    assert_true(sent_count < sizeof sent);
    sent[sent_count++] = (char)value;
}

void out8_many(uint16_t port, const void *bytes, size_t n)
{
    for (const uint8_t *at = bytes; n--; at++)
        out8(port, *at);
}

/* --- the reader of the console --- */

static int taken[32];
static unsigned taken_count, room;

static bool take(int byte)
{
    if (taken_count >= room)
        return false;
    taken[taken_count++] = byte;
    return true;
}

static void start_driver(void)
{
    fitted = true;
    room = 32;
    console_set_reader(take);
    __start_inits[0].call();
}

static void receive(const char *text)
{
    for (; *text; text++)
        received[count++] = *text == '!' ? -1 : *text;
    if (ports[IER] & 1)
        irq_dispatch(LINE);
}

/* --- the tests --- */

static void a_missing_chip_is_no_console(void **state)
{
    (void)state;
    __start_inits[0].call();
    expect_true(!irq_dispatch(LINE),
                "no chip, no handler for its line: the scratch register (offset 7) tells. "
                "What is written there must come back; an empty port reads as 0xff.");
    console_write("x", 1);
    expect_number(reads[LSR], 0,
                  "without a chip the driver must not become the console: LSR would be polled for ever.");
}

static void the_chip_is_set_up(void **state)
{
    (void)state;
    start_driver();
    expect_number(ports[LCR], 0x03,
                  "LCR: 8 data bits, no parity, 1 stop bit, and DLAB (bit 7) off, so that offset 0 is data.");
    expect_number(ports[FCR], 0x07, "FCR: bit 0 turns the FIFOs on, bits 1 and 2 empty them.");
    expect_number(
        ports[MCR], 0x0b,
        "MCR: DTR and RTS tell the peer that we are there; OUT2 (bit 3) lets the interrupt out on a PC.");
    expect_true(irq_dispatch(LINE), "COM1 interrupts on line 4: irq_claim() says who answers.");
}

static void the_console_listens_at_once(void **state)
{
    (void)state;
    start_driver();
    expect_number(ports[IER], 0x01,
                  "a reader is there, so IER bit 0 (received data) must be on when the driver has started.");
}

static void bytes_are_written_in_order(void **state)
{
    (void)state;
    start_driver();
    console_write("Moss\r\n", 6);
    sent[sent_count] = '\0';
    expect_text(sent, "Moss\r\n",
                "each byte goes to offset 0, the transmitter's holding register, as it is.");
}

static void a_full_transmitter_is_waited_for(void **state)
{
    char text[] = "Forty bytes are two FIFOs and a half one";

    (void)state;
    start_driver();
    console_write(text, 40);
    console_write(text, 40);
    expect_number(overrun, 0,
                  "a FIFO holds 16 bytes: wait for LSR bit 5 (THR empty), send at most 16, and wait again.");
    expect_bytes(sent, text, 40, "all bytes are sent, in order.");
}

static void a_burst_fills_the_fifo(void **state)
{
    (void)state;
    start_driver();
    reads[LSR] = 0;
    console_write("Sixteen bytes it", 16);
    expect_number(sent_count, 16, "all bytes are sent.");
    expect_true(
        reads[LSR] <= 1,
        "LSR bit 5 means that the whole FIFO is empty: 16 bytes need one look, and each look is an exit.");
}

static void received_bytes_reach_the_reader(void **state)
{
    (void)state;
    start_driver();
    receive("hey");
    expect_number(taken_count, 3,
                  "an interrupt may stand for many bytes: read until LSR bit 0 (data ready) is off.");
    expect_number((uint64_t)taken[0], 'h', "the oldest byte comes first.");
    expect_number((uint64_t)taken[2], 'y', "and the newest last.");
    expect_number(ports[IER], 0x01, "everything was taken: received-data interrupts stay on.");
}

static void nothing_received_gives_nothing(void **state)
{
    (void)state;
    start_driver();
    irq_dispatch(LINE);
    expect_number(taken_count, 0, "an interrupt without data (LSR bit 0 is 0) must not invent a byte.");
}

static void a_break_is_the_end_of_input(void **state)
{
    (void)state;
    start_driver();
    receive("a!b");
    expect_number(taken_count, 3,
                  "a break is a zero byte in the FIFO: it must be read too, or it blocks the rest.");
    expect_number((uint64_t)taken[1], (uint64_t)CONSOLE_EOF,
                  "LSR bit 4 (break) belongs to the byte at the front: it stands for the end of input.");
    expect_number((uint64_t)taken[2], 'b', "the next byte is a byte again.");
}

static void what_is_refused_stays_in_the_chip(void **state)
{
    (void)state;
    start_driver();
    room = 1;
    receive("abcd");
    expect_number(taken_count, 1, "the reader has room for one byte.");
    expect_number(
        first, 2,
        "one byte was taken, one is held: the others must stay in the FIFO, so that the sender waits.");
    expect_number(ports[IER], 0,
                  "with a byte held, interrupts go off (IER 0): the chip would interrupt for ever.");
}

static void what_was_refused_comes_first_later(void **state)
{
    (void)state;
    start_driver();
    room = 1;
    receive("abcd");
    room = 32;
    console_resume_input();
    expect_number(taken_count, 4,
                  "resume_input offers the byte that is held, then those in the FIFO: none is lost.");
    expect_number((uint64_t)taken[1], 'b', "the byte that was refused comes first.");
    expect_number(ports[IER], 0x01, "all were taken: received-data interrupts are on again.");
    expect_number(moss_locks_held(), 0, "every lock is released.");
}

static void a_refused_end_is_not_forgotten(void **state)
{
    (void)state;
    start_driver();
    room = 0;
    receive("!");
    room = 32;
    console_resume_input();
    expect_number(
        taken_count, 1,
        "a break that found no room is held as any byte is: CONSOLE_EOF is -1, and not \"nothing held\".");
    expect_number((uint64_t)taken[0], (uint64_t)CONSOLE_EOF, "it is still the end of input.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_chip_is_no_console),
        cmocka_unit_test(the_chip_is_set_up),
        cmocka_unit_test(the_console_listens_at_once),
        cmocka_unit_test(bytes_are_written_in_order),
        cmocka_unit_test(a_full_transmitter_is_waited_for),
        cmocka_unit_test(a_burst_fills_the_fifo),
        cmocka_unit_test(received_bytes_reach_the_reader),
        cmocka_unit_test(nothing_received_gives_nothing),
        cmocka_unit_test(a_break_is_the_end_of_input),
        cmocka_unit_test(what_is_refused_stays_in_the_chip),
        cmocka_unit_test(what_was_refused_comes_first_later),
        cmocka_unit_test(a_refused_end_is_not_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
