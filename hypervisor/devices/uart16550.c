/* A 16550A UART at port 0x3F8, interrupt line 4: a PC's first serial port (National Semiconductor PC16550D
 * data sheet). */
#include <stdlib.h>
#include <string.h>
#include "../feature.h"
#include "../irq.h"
#include "console.h"

#define UART_PORT 0x3F8
#define UART_IRQ  4
#define FIFO_SIZE 16

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFO = 0xC0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2 };
enum { LCR_DLAB = 0x80 };
enum { MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 16, LSR_THRE = 32, LSR_TEMT = 64, LSR_FIFO_ERROR = 128 };
enum { MSR_TERI = 4, MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };

struct uart {
    uint8_t ier, fcr, lcr, mcr, scr, divisor[2];
    uint8_t modem;       /* the upper half of MSR as it was when the lower half was computed */
    uint8_t modem_delta; /* the lower half of MSR */
    uint8_t overrun;     /* LSR_OE until LSR is read */
    uint8_t tx_empty;    /* the transmitter-empty interrupt is due */
    uint8_t polled;      /* the last access was a read of LSR */
    uint8_t irq_level;
    uint8_t fifo_first, fifo_count;
    uint8_t fifo[FIFO_SIZE], fifo_break[FIFO_SIZE]; /* fifo_break: LSR_BI where the byte stands for a break */
};

static unsigned fifo_size(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

static void fifo_push(struct uart *u, uint8_t byte, uint8_t break_bit)
{
    unsigned last = (u->fifo_first + u->fifo_count) % FIFO_SIZE;

    if (u->fifo_count >= fifo_size(u)) {
        u->overrun = LSR_OE; /* the byte that does not fit is lost, as in the real chip */
        return;
    }
    u->fifo[last] = byte;
    u->fifo_break[last] = break_bit;
    u->fifo_count++;
}

static uint8_t fifo_pop(struct uart *u)
{
    uint8_t byte = u->fifo[u->fifo_first];

    if (u->fifo_count == 0)
        return 0;
    u->fifo_first = (u->fifo_first + 1) % FIFO_SIZE;
    u->fifo_count--;
    return byte;
}

/*
 * Fetch typed bytes while there is room. They wait on the host until the guest listens: it wants receive
 * interrupts, or polls LSR again and again. Drivers clear the FIFO when they start; what came before would be
 * lost.
 */
static void uart_receive(struct vm *vm, struct uart *u)
{
    if (u->mcr & MCR_LOOP || !(u->ier & IER_RX || u->polled))
        return;
    while (u->fifo_count < fifo_size(u)) {
        int item = console_next(vm, u);
        if (item == CONSOLE_EMPTY)
            break;
        fifo_push(u, item == CONSOLE_BREAK ? 0 : (uint8_t)item, item == CONSOLE_BREAK ? LSR_BI : 0);
    }
}

static uint8_t uart_lsr(const struct uart *u)
{
    uint8_t lsr = LSR_THRE | LSR_TEMT | u->overrun; /* bytes leave at once: the transmitter is always empty */

    if (u->fifo_count > 0)
        lsr |= LSR_DR | u->fifo_break[u->fifo_first];
    for (unsigned i = 0; u->fcr & FCR_ENABLE && i < u->fifo_count; i++)
        if (u->fifo_break[(u->fifo_first + i) % FIFO_SIZE])
            lsr |= LSR_FIFO_ERROR;
    return lsr;
}

/* The pending interrupt of the highest priority (data sheet, table "Interrupt Control Functions"). */
static uint8_t uart_iir(const struct uart *u)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};
    unsigned trigger = u->fcr & FCR_ENABLE ? triggers[u->fcr >> 6] : 1;

    if (u->ier & IER_LINE && uart_lsr(u) & (LSR_OE | LSR_BI))
        return IIR_LINE;
    if (u->ier & IER_RX && u->fifo_count >= trigger)
        return IIR_RX;
    if (u->ier & IER_RX && u->fifo_count > 0)
        return IIR_TIMEOUT; /* fewer than the driver waits for, and no more are on their way */
    if (u->ier & IER_TX && u->tx_empty)
        return IIR_TX;
    if (u->ier & IER_MODEM && u->modem_delta)
        return IIR_MODEM;
    return IIR_NONE;
}

/* On a PC, OUT2 connects the interrupt to its line, and loopback disconnects OUT2. */
static void uart_update_irq(struct vm *vm, struct uart *u)
{
    uint8_t level = uart_iir(u) != IIR_NONE && (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    if (level != u->irq_level)
        irq_set_line(vm, UART_IRQ, level);
    u->irq_level = level;
}

/* The modem lines: a ready peer, or in loopback our own outputs DTR, RTS, OUT1 and OUT2. */
static uint8_t uart_modem_lines(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & 2 ? MSR_CTS : 0) | (u->mcr & 1 ? MSR_DSR : 0) | (u->mcr & 4 ? MSR_RI : 0) |
                     (u->mcr & 8 ? MSR_DCD : 0));
}

static void uart_update_modem(struct uart *u)
{
    uint8_t lines = uart_modem_lines(u), changed = lines ^ u->modem;

    if (lines & MSR_RI)
        changed &= (uint8_t)~MSR_RI; /* of RI, only the end counts (TERI) */
    u->modem_delta |= changed >> 4;
    u->modem = lines;
}

static uint8_t uart_read_register(struct vm *vm, struct uart *u, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case RBR_THR:
        value = fifo_pop(u);
        uart_receive(vm, u);
        return value;
    case IER:
        return u->ier;
    case IIR_FCR:
        value = uart_iir(u);
        if (value == IIR_TX)
            u->tx_empty = 0; /* told once */
        return value | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        uart_receive(vm, u);
        value = uart_lsr(u);
        u->overrun = 0;
        u->fifo_break[u->fifo_first] = 0;
        return value;
    case MSR:
        value = u->modem | u->modem_delta;
        u->modem_delta = 0;
        return value;
    default:
        return u->scr;
    }
}

static uint64_t uart_read(struct vm *vm, void *dev, uint64_t offset, unsigned size)
{
    struct uart *u = dev;
    (void)size;

    if (u->lcr & LCR_DLAB && offset <= IER)
        return u->divisor[offset];
    uint8_t value = uart_read_register(vm, u, (unsigned)offset);
    u->polled = offset == LSR;
    uart_update_irq(vm, u);
    return value;
}

static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    u->tx_empty = 1;
    if (!(u->mcr & MCR_LOOP)) {
        vm_output(vm, bytes, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        fifo_push(u, bytes[i], 0);
}

static void uart_write_fcr(struct uart *u, uint8_t value)
{
    if (value & FCR_CLEAR_RX || (value ^ u->fcr) & FCR_ENABLE)
        u->fifo_count = 0;
    u->fcr = value & FCR_ENABLE ? value : 0;
}

static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    switch (reg) {
    case IER:
        if (value & ~u->ier & IER_TX)
            u->tx_empty = 1; /* switched on while empty: due at once */
        u->ier = value & 15;
        break;
    case IIR_FCR:
        uart_write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & 31;
        uart_update_modem(u);
        break;
    case SCR:
        u->scr = value;
        break;
    }
}

static void uart_write_string(struct vm *vm, void *dev, uint64_t offset, const void *data, unsigned size,
                              unsigned count)
{
    const uint8_t *bytes = data;
    struct uart *u = dev;
    (void)size;

    u->polled = 0;
    if (u->lcr & LCR_DLAB && offset <= IER)
        u->divisor[offset] = bytes[count - 1];
    else if (offset == RBR_THR)
        uart_transmit(vm, u, bytes, count);
    else
        for (unsigned i = 0; i < count; i++)
            uart_write_register(u, (unsigned)offset, bytes[i]);
    uart_receive(vm, u);
    uart_update_irq(vm, u);
}

static void uart_write(struct vm *vm, void *dev, uint64_t offset, uint64_t value, unsigned size)
{
    uint8_t byte = (uint8_t)value;

    uart_write_string(vm, dev, offset, &byte, size, 1);
}

static void uart_ready(struct vm *vm, void *dev)
{
    uart_receive(vm, dev);
    uart_update_irq(vm, dev);
}

static int uart_attach(struct vm *vm)
{
    static const struct bus_ops ops = {1, uart_read, uart_write, uart_write_string};
    struct uart *u = calloc(1, sizeof *u);

    if (!u)
        return complain(-1, "no memory for the UART");
    u->divisor[0] = 1; /* 115,200 baud; it makes no difference here */
    u->modem = uart_modem_lines(u);
    int err = vm_add_device_state(vm, "uart16550", u, sizeof *u);
    if (err == 0)
        err = bus_claim(&vm->ports, UART_PORT, 8, "uart16550", &ops, u);
    return err ? err : console_offer(vm, "uart", uart_ready, u);
}

static void uart_detach(struct vm *vm)
{
    free(vm_device_state(vm, "uart16550"));
}

FEATURE(uart16550) = {
    .name = "uart16550",
    .lab = 3,
    .help = "a serial port: ports 0x3F8 to 0x3FF, line 4",
    .attach = uart_attach,
    .detach = uart_detach,
};
