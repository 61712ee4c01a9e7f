/* A 16550A UART at port 0x3F8, interrupt line 4: a PC's first serial port (National Semiconductor PC16550D
 * data sheet). */
#include "../feature.h"
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
    uint8_t reg[8]; /* as last written: IER, FCR, LCR, MCR, SCR */
    uint8_t divisor[2];
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
    return u->reg[IIR_FCR] & FCR_ENABLE ? FIFO_SIZE : 1;
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
    if (u->reg[MCR] & MCR_LOOP || !(u->reg[IER] & IER_RX || u->polled))
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
    for (unsigned i = 0; u->reg[IIR_FCR] & FCR_ENABLE && i < u->fifo_count; i++)
        if (u->fifo_break[(u->fifo_first + i) % FIFO_SIZE])
            lsr |= LSR_FIFO_ERROR;
    return lsr;
}

/* The pending interrupt of the highest priority (data sheet, table "Interrupt Control Functions"). */
static uint8_t uart_iir(const struct uart *u)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};
    unsigned trigger = u->reg[IIR_FCR] & FCR_ENABLE ? triggers[u->reg[IIR_FCR] >> 6] : 1;

    if (u->reg[IER] & IER_LINE && uart_lsr(u) & (LSR_OE | LSR_BI))
        return IIR_LINE;
    if (u->reg[IER] & IER_RX && u->fifo_count >= trigger)
        return IIR_RX;
    if (u->reg[IER] & IER_RX && u->fifo_count > 0)
        return IIR_TIMEOUT; /* fewer than the driver waits for, and no more are on their way */
    if (u->reg[IER] & IER_TX && u->tx_empty)
        return IIR_TX;
    if (u->reg[IER] & IER_MODEM && u->modem_delta)
        return IIR_MODEM;
    return IIR_NONE;
}

/* On a PC, OUT2 connects the interrupt to its line, and loopback disconnects OUT2. */
static void uart_update_irq(struct vm *vm, struct uart *u)
{
    uint8_t level = uart_iir(u) != IIR_NONE && (u->reg[MCR] & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    if (level != u->irq_level)
        irq_set_line(vm, UART_IRQ, level);
    u->irq_level = level;
}

/* The modem lines: a ready peer, or in loopback our own outputs DTR, RTS, OUT1 and OUT2. */
static uint8_t uart_modem_lines(const struct uart *u)
{
    if (!(u->reg[MCR] & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->reg[MCR] & 2 ? MSR_CTS : 0) | (u->reg[MCR] & 1 ? MSR_DSR : 0) |
                     (u->reg[MCR] & 4 ? MSR_RI : 0) | (u->reg[MCR] & 8 ? MSR_DCD : 0));
}

static void uart_update_modem(struct uart *u)
{
    uint8_t lines = uart_modem_lines(u), changed = lines ^ u->modem;

    if (lines & MSR_RI)
        changed &= (uint8_t)~MSR_RI; /* of RI, only the end counts (TERI) */
    u->modem_delta |= changed >> 4;
    u->modem = lines;
}

/* Something may have changed: typed bytes, room for them, the reasons for an interrupt. */
static void uart_ready(struct vm *vm, void *dev)
{
    uart_receive(vm, dev);
    uart_update_irq(vm, dev);
}

static uint8_t uart_read_register(struct vm *vm, struct uart *u, unsigned reg)
{
    uint8_t value;

    switch (reg) {
    case RBR_THR:
        value = fifo_pop(u);
        uart_receive(vm, u);
        return value;
    case IIR_FCR:
        value = uart_iir(u);
        if (value == IIR_TX)
            u->tx_empty = 0; /* told once */
        return value | (u->reg[IIR_FCR] & FCR_ENABLE ? IIR_FIFO : 0);
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
        return u->reg[reg];
    }
}

static bool is_divisor(const struct uart *u, const struct access *a)
{
    return u->reg[LCR] & LCR_DLAB && a->offset <= IER;
}

static uint64_t uart_read(const struct access *a)
{
    struct uart *u = a->dev;

    if (is_divisor(u, a))
        return u->divisor[a->offset];
    uint8_t value = uart_read_register(a->vm, u, (unsigned)a->offset);
    u->polled = a->offset == LSR;
    uart_update_irq(a->vm, u);
    return value;
}

static void uart_transmit(struct vm *vm, struct uart *u, const uint8_t *bytes, unsigned count)
{
    u->tx_empty = 1;
    if (!(u->reg[MCR] & MCR_LOOP))
        vm_output(vm, bytes, count);
    else
        for (unsigned i = 0; i < count; i++)
            fifo_push(u, bytes[i], 0);
}

static void uart_write_register(struct uart *u, unsigned reg, uint8_t value)
{
    static const uint8_t writable[] = {[IER] = 15, [IIR_FCR] = 255, [LCR] = 255, [MCR] = 31, [SCR] = 255};
    uint8_t switched_on = value & ~u->reg[reg];

    if (reg == IIR_FCR && (value & FCR_CLEAR_RX || (value ^ u->reg[IIR_FCR]) & FCR_ENABLE))
        u->fifo_count = 0;
    u->reg[reg] = value & writable[reg];
    if (reg == IER && switched_on & IER_TX)
        u->tx_empty = 1; /* switched on while empty: due at once */
    else if (reg == IIR_FCR && !(value & FCR_ENABLE))
        u->reg[reg] = 0;
    else if (reg == MCR)
        uart_update_modem(u);
}

static void uart_write(const struct access *a)
{
    const uint8_t *bytes = a->data;
    struct uart *u = a->dev;

    u->polled = 0;
    if (is_divisor(u, a))
        u->divisor[a->offset] = bytes[a->count - 1];
    else if (a->offset == RBR_THR)
        uart_transmit(a->vm, u, bytes, a->count);
    else
        for (unsigned i = 0; i < a->count; i++)
            uart_write_register(u, (unsigned)a->offset, bytes[i]);
    uart_ready(a->vm, u);
}

static int uart_attach(struct vm *vm)
{
    static const struct bus_ops ops = {.sizes = 1, .read = uart_read, .write_string = uart_write};
    struct uart *u = vm_new_device_state(vm, "uart16550", sizeof *u);

    if (!u)
        return -ENOMEM;
    u->divisor[0] = 1; /* 115,200 baud; it makes no difference here */
    u->modem = uart_modem_lines(u);
    console_offer(vm, uart_ready, u);
    return bus_claim(&vm->ports, UART_PORT, 8, "uart16550", &ops, u);
}

FEATURE(uart16550) = {
    .name = "uart16550",
    .lab = 3,
    .help = "a serial port: ports 0x3F8 to 0x3FF, line 4",
    .attach = uart_attach,
};
