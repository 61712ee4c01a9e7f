/*
 * Clocks. Under KVM the host says how to turn the time-stamp counter into nanoseconds (Linux:
 * Documentation/virt/kvm/x86/msr.rst); elsewhere the counter is measured against the PC's timer chip.
 */
#include "clock.h"
#include "cpu.h"
#include "init.h"
#include "io.h"
#include "layout.h"
#include "printk.h"
#include "rtc.h"

#define KVM_CPUID          0x40000000
#define KVM_FEATURE_CLOCK2 (1u << 3)
#define MSR_KVM_WALL_CLOCK 0x4b564d00
#define MSR_KVM_CLOCK      0x4b564d01

#define PIT_HZ         1193182
#define PIT_CHANNEL0   0x40
#define PIT_COMMAND    0x43
#define PIT_LATCH_0    0x00
#define PIT_ONE_SHOT_0 0x30 /* channel 0, low byte first, mode 0 */
#define CALIBRATE_MS   5
#define ROUNDS         3

/* Laid out by KVM. While `version` is odd, the host is changing it. */
struct kvm_clock {
    uint32_t version, pad;
    uint64_t tsc, ns;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, pad2[2];
};

struct kvm_wall_clock {
    uint32_t version, seconds, nanoseconds;
};

/* The same form serves for the clock that we measure ourselves. */
static struct kvm_clock clocks[MAX_CPUS] __attribute__((aligned(64)));
static uint64_t wall_offset; /* wall clock minus clock_ns() */

static uint64_t ns_of(const volatile struct kvm_clock *c, uint64_t tsc)
{
    uint64_t delta = tsc - c->tsc;

    delta = c->shift >= 0 ? delta << c->shift : delta >> -c->shift;
    return c->ns + (uint64_t)((unsigned __int128)delta * c->multiplier >> 32);
}

uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[this_cpu()->id];
    uint32_t version;
    uint64_t ns;

    do {
        version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        ns = ns_of(c, read_tsc());
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != c->version);
    return ns;
}

uint64_t clock_wall_ns(void)
{
    return clock_ns() + wall_offset;
}

void clock_set_wall(uint64_t ns)
{
    wall_offset = ns - clock_ns();
}

static bool have_kvm_clock(void)
{
    struct cpuid signature = cpuid(KVM_CPUID, 0);

    return signature.ebx == 0x4b4d564b && /* "KVMK" */
           cpuid(KVM_CPUID + 1, 0).eax & KVM_FEATURE_CLOCK2;
}

static uint64_t image_physical(const void *p)
{
    return (uint64_t)p - KERNEL_BASE;
}

static void use_kvm_clock(void)
{
    static volatile struct kvm_wall_clock wall __attribute__((aligned(16)));

    write_msr(MSR_KVM_CLOCK, image_physical(&clocks[this_cpu()->id]) | 1);
    write_msr(MSR_KVM_WALL_CLOCK, image_physical((const void *)&wall));
    wall_offset = wall.seconds * NS_PER_SECOND + wall.nanoseconds; /* of the moment when clock_ns() was 0 */
}

/* What the timer chip's channel 0 still has to count. */
static uint16_t pit_count(void)
{
    out8(PIT_COMMAND, PIT_LATCH_0);
    uint16_t low = in8(PIT_CHANNEL0);
    return low | in8(PIT_CHANNEL0) << 8;
}

/* The frequency of the time-stamp counter, or more if something holds us up on the way. */
static uint64_t measure_once(void)
{
    uint16_t counted;

    out8(PIT_COMMAND, PIT_ONE_SHOT_0);
    out8(PIT_CHANNEL0, 0xff);
    uint64_t start = read_tsc();
    out8(PIT_CHANNEL0, 0xff);
    do
        counted = 0xffff - pit_count();
    while (counted < PIT_HZ * CALIBRATE_MS / 1000);
    return (read_tsc() - start) * PIT_HZ / counted;
}

/* The lowest of some rounds: an emulator's thread may have to wait for its own CPU. */
static uint64_t measure_tsc(void)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t hz = measure_once();
        best = MIN(best, hz);
    }
    return best;
}

static void use_tsc(void)
{
    uint64_t hz = measure_tsc();
    struct kvm_clock *c = &clocks[this_cpu()->id];

    while (hz << c->shift <= NS_PER_SECOND) /* the multiplier must fit 32 bits */
        c->shift++;
    c->multiplier = (NS_PER_SECOND << 32) / (hz << c->shift);
    c->tsc = read_tsc();
    wall_offset = rtc_read() * NS_PER_SECOND;
}

static void clock_init(void)
{
    if (have_kvm_clock())
        use_kvm_clock();
    else
        use_tsc();
    printk("clock: %s\r\n", have_kvm_clock() ? "KVM's" : "time-stamp counter");
}

INIT(INIT_TIME, clock_init);
