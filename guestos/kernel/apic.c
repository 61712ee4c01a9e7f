/* Interrupt controllers: the CPU's own (local APIC) with its timer, and the one for devices (IOAPIC). */
#include "apic.h"
#include "clock.h"
#include "cpu.h"
#include "init.h"
#include "io.h"
#include "irq.h"
#include "paging.h"
#include "printk.h"
#include "trap.h"

#define LAPIC_ADDRESS  0xfee00000
#define IOAPIC_ADDRESS 0xfec00000

/* Local APIC registers (Intel SDM 3A §10.4.1). */
#define LAPIC_ID            0x20
#define LAPIC_EOI           0xb0
#define LAPIC_SPURIOUS      0xf0
#define LAPIC_TIMER         0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE  0x3e0

#define SPURIOUS_ENABLE 0x100
#define TIMER_MASKED    0x10000
#define TIMER_PERIODIC  0x20000
#define DIVIDE_BY_16    0x3

/* IOAPIC registers, reached through an index and a window (82093AA §3.2). */
#define IOAPIC_WINDOW  0x10
#define REDIRECTION(n) (0x10 + 2 * (n))

#define CALIBRATE_NS 1000000
#define ROUNDS       3

static volatile char *lapic, *ioapic;
static uint32_t timer_count; /* of one tick */

static uint32_t lapic_read(unsigned reg)
{
    return *(volatile uint32_t *)(lapic + reg);
}

static void lapic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(lapic + reg) = value;
}

static void ioapic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)ioapic = reg;
    *(volatile uint32_t *)(ioapic + IOAPIC_WINDOW) = value;
}

unsigned apic_id(void)
{
    return lapic_read(LAPIC_ID) >> 24;
}

void apic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

/* Edge-triggered, to the CPU that starts the machine. */
static void unmask(unsigned line)
{
    ioapic_write(REDIRECTION(line) + 1, apic_id() << 24);
    ioapic_write(REDIRECTION(line), IRQ_VECTOR + line);
}

static void device_interrupt(struct trapframe *frame)
{
    irq_dispatch(frame->vector - IRQ_VECTOR);
    apic_eoi();
}

static void spurious(struct trapframe *frame)
{
    (void)frame; /* needs no acknowledgement */
}

void apic_enable(void)
{
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
}

static void mask_old_controllers(void)
{
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
}

static void apic_init(void)
{
    lapic = map_device(LAPIC_ADDRESS, PAGE_SIZE);
    ioapic = map_device(IOAPIC_ADDRESS, PAGE_SIZE);
    if (!lapic || !ioapic)
        panic("no memory for the interrupt controllers' page tables");
    mask_old_controllers();
    apic_enable();
    trap_handle(SPURIOUS_VECTOR, spurious);
    for (unsigned line = 0; line < IRQ_LINES; line++)
        trap_handle(IRQ_VECTOR + line, device_interrupt);
    irq_set_controller(unmask);
}

INIT(INIT_IRQ, apic_init);

/* How often the timer counts in a second, or less if something holds us up on the way. */
static uint64_t measure_timer(void)
{
    uint64_t start = clock_ns();

    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    while (clock_ns() - start < CALIBRATE_NS)
        cpu_relax();
    uint64_t counted = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    return counted * NS_PER_SECOND / (clock_ns() - start);
}

static void calibrate_timer(void)
{
    uint64_t best = 0;

    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, TIMER_MASKED);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t hz = measure_timer();
        best = MAX(best, hz);
    }
    timer_count = MAX(best / TICKS_PER_SECOND, 1);
}

void apic_start_tick(void)
{
    if (!timer_count)
        calibrate_timer();
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_TIMER, TIMER_PERIODIC | TIMER_VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, timer_count);
}
