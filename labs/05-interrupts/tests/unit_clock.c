/* Lab 5: Moss's clock. The test is the host that publishes KVM's numbers, and turns the time-stamp counter.
 */
/* sources: guestos/kernel/clock.c tests/unit/moss_host.c tests/unit/cpu_host.c */
#include <signal.h>
#include <sys/time.h>
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/clock.h"
#include "guestos/include/rtc.h"

#define HALF      0x80000000u /* multipliers are parts of 2^32 */
#define RTC_TIME  1796000000u
#define PIT_HZ    1193182ul
#define TSC_HZ    2500000000ul
#define MSR_CLOCK 0x4b564d01
#define MSR_WALL  0x4b564d00

extern const struct init_call __start_inits[];

/* As KVM lays it out (struct pvclock_vcpu_time_info in Linux: Documentation/virt/kvm/x86/msr.rst). */
struct published {
    uint32_t version, pad;
    uint64_t tsc, ns;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, pad2[2];
};

static volatile struct published *host; /* where the host writes */
static uint64_t tsc;
static unsigned tsc_reads;
static void (*on_tsc_read)(void);
static bool have_kvm;

/* --- the machine --- */

static uint64_t pit_began; /* in TSC counts */
static uint16_t pit_latched;
static unsigned pit_byte, delay_in_reading;

uint64_t host_tsc(void)
{
    uint64_t now = tsc;

    tsc_reads++;
    if (on_tsc_read)
        on_tsc_read();
    return now;
}

struct cpuid host_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    if (have_kvm && leaf == 0x40000000)
        return (struct cpuid){.eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d};
    return (struct cpuid){.eax = have_kvm && leaf == 0x40000001 ? 1u << 3 : 0};
}

static void wrmsr(uint32_t msr, uint64_t value)
{
    uint32_t *at = (uint32_t *)((value & ~1ul) + KERNEL_BASE);

    if (msr == MSR_CLOCK)
        host = (void *)at;
    if (msr == MSR_WALL)
        at[0] = 2, at[1] = RTC_TIME, at[2] = 7;
}

void out8(uint16_t port, uint8_t value)
{
    tsc += TSC_HZ / 1000000;
    if (port == 0x43 && value == 0)
        pit_latched = (uint16_t)(0xffff - (tsc - pit_began) * PIT_HZ / TSC_HZ);
    pit_byte = 0;
    if (port == 0x40)
        pit_began = tsc; /* with the last byte of the count */
}

uint8_t in8(uint16_t port)
{
    expect_number(port, 0x40, "the timer chip's channel 0 is at port 0x40");
    tsc += TSC_HZ / 1000000;
    if (delay_in_reading && --delay_in_reading == 0)
        tsc += TSC_HZ / 100;
    return (uint8_t)(pit_byte++ == 0 ? pit_latched : pit_latched >> 8);
}

uint64_t rtc_read(void)
{
    return RTC_TIME;
}

void printk(const char *fmt, ...)
{
    (void)fmt;
}

static void start(bool kvm, unsigned cpu)
{
    have_kvm = kvm;
    cpu_host_begin();
    cpu_host_on_wrmsr = wrmsr;
    cpu_host_be(cpu);
    __start_inits[0].call();
    if (kvm)
        *host = (struct published){.version = 2, .tsc = 1000, .ns = 5000, .multiplier = HALF};
}

/* --- the formula --- */

static void the_hosts_numbers_make_nanoseconds(void **state)
{
    (void)state;
    start(true, 0);
    tsc = 3000;
    expect_number(clock_ns(), 6000,
                  "2,000 counts since the host's reading at 1,000; each is 1/2 ns (multiplier 2^31 of 2^32); "
                  "it was 5,000 ns then");
    tsc = 3001;
    expect_number(clock_ns(), 6000, "half a nanosecond more is none yet");
}

static void the_shift_comes_before_the_product(void **state)
{
    (void)state;
    start(true, 0);
    host->shift = 1;
    tsc = 1005;
    expect_number(clock_ns(), 5005,
                  "shift 1: the 5 counts are doubled, and then halved by the multiplier. A product first "
                  "would lose the half that was cut off");
}

static void a_negative_shift_goes_to_the_right(void **state)
{
    (void)state;
    start(true, 0);
    host->shift = -2;
    tsc = 1800;
    expect_number(clock_ns(), 5100, "shift is signed; -2: the 800 counts are divided by 4, and then halved");
}

static void ten_seconds_do_not_overflow(void **state)
{
    (void)state;
    start(true, 0);
    host->shift = -1; /* 3 GHz, as KVM says it */
    host->multiplier = 2863311530;
    tsc = 1000 + 30000000000;
    uint64_t ns = clock_ns() - 5000;
    if (ns < 9999999990 || ns > 10000000010)
        fail_msg("30,000,000,000 counts of a 3 GHz counter gave %lu ns\nCounts times multiplier needs more "
                 "than 64 bits after 4 "
                 "seconds already: multiply in unsigned __int128",
                 ns);
}

static void ten_years_do_not_overflow(void **state)
{
    const uint64_t years = 10 * 365 * 86400ul;

    (void)state;
    start(true, 0);
    host->shift = -1;
    host->multiplier = 2863311530;
    tsc = 1000 + 3000000000 * years;
    uint64_t ns = clock_ns() - 5000;
    if (ns / NS_PER_SECOND < years - 1 || ns / NS_PER_SECOND > years + 1)
        fail_msg("ten years of a 3 GHz counter gave %lu s, not %lu", ns / NS_PER_SECOND, years);
}

/* --- the host changes the numbers --- */

static void update(void)
{
    on_tsc_read = NULL;
    *host = (struct published){.version = 4, .tsc = tsc + 500, .ns = 9000, .multiplier = HALF};
    tsc += 700;
}

static void an_update_in_between_is_noticed(void **state)
{
    (void)state;
    start(true, 0);
    tsc = 3000;
    on_tsc_read = update;
    expect_number(clock_ns(), 9100,
                  "the version was 2 before the numbers were read and is 4 behind: they do not belong "
                  "together. Begin again, "
                  "with a new reading of the counter, too: the old one is from before the new numbers");
    expect_number(tsc_reads, 2, "once more, and no more");
}

static void finish_update(int signal)
{
    (void)signal;
    host->tsc = 1000;
    host->ns = 5000;
    host->multiplier = HALF;
    host->version = 4;
}

static void an_unfinished_update_is_waited_for(void **state)
{
    /* after so much work of this program, wherever it is then */
    const struct itimerval after = {.it_value = {.tv_usec = 50000}};

    (void)state;
    start(true, 0);
    tsc = 3000;
    *host = (struct published){.version = 3, .tsc = 17, .ns = 123456789, .multiplier = 1};
    signal(SIGVTALRM, finish_update);
    setitimer(ITIMER_VIRTUAL, &after, NULL);
    expect_number(
        clock_ns(), 6000,
        "an odd version says that the host is writing: the numbers are half old, half new. Look again");
}

static void each_cpu_has_its_own_numbers(void **state)
{
    (void)state;
    start(true, 3);
    tsc = 3000;
    expect_number(clock_ns(), 6000,
                  "the host writes numbers for each CPU, and told CPU 3's to clocks[3]: this_cpu()->id");
}

static void the_clock_goes_on(void **state)
{
    uint64_t last = 0;

    (void)state;
    start(true, 0);
    for (unsigned i = 0; i < 1000; i++) {
        tsc = 1000 + i * 1000003;
        uint64_t ns = clock_ns();
        expect_true(ns >= last, "the clock never goes back");
        last = ns;
    }
    expect_number(last, 5000 + 999 * 1000003 / 2, "and is right in the end");
}

/* --- other clocks made of it --- */

static void the_time_of_day_is_the_hosts(void **state)
{
    (void)state;
    start(true, 0);
    tsc = 3000;
    expect_number(clock_wall_ns(), RTC_TIME * NS_PER_SECOND + 7 + 6000,
                  "the host tells the time of day at which clock_ns() was 0");
    clock_set_wall(42);
    tsc = 4000;
    expect_number(clock_wall_ns(), 42 + 500, "once it was set, it goes on from there");
}

static void without_kvm_the_counter_is_measured(void **state)
{
    (void)state;
    delay_in_reading = 3000; /* in one of the rounds */
    start(false, 0);
    uint64_t before = clock_ns();
    tsc += 10 * TSC_HZ;
    uint64_t ns = clock_ns() - before;
    if (ns < 9990000000 || ns > 10010000000)
        fail_msg("10 s of a counter of 2.5 GHz gave %lu ns (0.1 %% is allowed)\nuse_tsc() measures the "
                 "counter, and gives ns_of() "
                 "numbers in the form of KVM's",
                 ns);
    expect_number((clock_wall_ns() - clock_ns()) / NS_PER_SECOND, RTC_TIME,
                  "the time of day is that of the clock chip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hosts_numbers_make_nanoseconds),
        cmocka_unit_test(the_shift_comes_before_the_product),
        cmocka_unit_test(a_negative_shift_goes_to_the_right),
        cmocka_unit_test(ten_seconds_do_not_overflow),
        cmocka_unit_test(ten_years_do_not_overflow),
        cmocka_unit_test(an_update_in_between_is_noticed),
        cmocka_unit_test(an_unfinished_update_is_waited_for),
        cmocka_unit_test(each_cpu_has_its_own_numbers),
        cmocka_unit_test(the_clock_goes_on),
        cmocka_unit_test(the_time_of_day_is_the_hosts),
        cmocka_unit_test(without_kvm_the_counter_is_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
