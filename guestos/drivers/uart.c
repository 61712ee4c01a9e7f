/* The 16550 serial port COM1 as a console. Datasheet: National Semiconductor PC16550D, §8. */
#include "console.h"
#include "cpu.h"
#include "init.h"
#include "io.h"
#include "irq.h"
#include "printk.h"

#define UART_PORT 0x3f8
#define UART_IRQ  4
#define FIFO_SIZE 16

/* Registers, as offsets from the port. */
#define DATA 0
#define IER  1
#define FCR  2 /* written */
#define IIR  2 /* read */
#define LCR  3
#define MCR  4
#define LSR  5
#define SCR  7

#define IER_RECEIVED     0x01
#define FCR_ENABLE       0x07 /* FIFOs on and emptied; an interrupt for each byte */
#define LCR_8N1          0x03
#define MCR_OUT2_RTS_DTR 0x0b /* OUT2 connects the interrupt line on a PC */
#define LSR_DATA_READY   0x01
#define LSR_BREAK        0x10
#define LSR_THR_EMPTY    0x20

#define NOTHING_HELD -2

static struct spinlock write_lock;
static struct spinlock receive_lock; /* guards held; taken before the reader's own lock, never after */
static int held = NOTHING_HELD;      /* a byte that was read but not yet wanted */

static void uart_write(const char *bytes, size_t n)
{
    spin_lock(&write_lock);
    while (n) {
        while (!(in8(UART_PORT + LSR) & LSR_THR_EMPTY))
            cpu_relax();
        size_t burst = MIN(n, FIFO_SIZE); /* an empty transmitter takes a whole FIFO */
        out8_many(UART_PORT + DATA, bytes, burst);
        bytes += burst;
        n -= burst;
    }
    spin_unlock(&write_lock);
}

/* Receive one byte into `held`. A break with a zero byte is how the other side says that it has closed. */
static bool fetch(void)
{
    uint8_t status = in8(UART_PORT + LSR);

    if (!(status & LSR_DATA_READY))
        return false;
    held = in8(UART_PORT + DATA);
    if (status & LSR_BREAK)
        held = CONSOLE_EOF;
    return true;
}

/* Give away what has been received. Returns false when a byte is left that nobody wants. */
static bool give_away(void)
{
    for (;;) {
        if (held == NOTHING_HELD && !fetch())
            return true;
        if (!console_input(held))
            return false;
        held = NOTHING_HELD;
    }
}

/* What is not wanted stays in the FIFO, without an interrupt, and the sender waits. */
static void uart_listen(void)
{
    spin_lock(&receive_lock);
    out8(UART_PORT + IER, give_away() ? IER_RECEIVED : 0);
    spin_unlock(&receive_lock);
}

static void uart_interrupt(void *unused)
{
    (void)unused;
    in8(UART_PORT + IIR);
    uart_listen();
}

static void uart_panic(void)
{
    write_lock.locked = false; /* its holder may be the one that panics */
}

static bool uart_present(void)
{
    out8(UART_PORT + SCR, 0x5a);
    return in8(UART_PORT + SCR) == 0x5a;
}

static void uart_init(void)
{
    static const struct console console = {
        .name = "serial port", .write = uart_write, .resume_input = uart_listen, .panic = uart_panic};

    if (!uart_present())
        return;
    out8(UART_PORT + LCR, LCR_8N1);
    out8(UART_PORT + FCR, FCR_ENABLE);
    out8(UART_PORT + MCR, MCR_OUT2_RTS_DTR);
    irq_claim(UART_IRQ, uart_interrupt, NULL);
    console_register(&console);
}

INIT(INIT_CONSOLE, uart_init);
