/* Lab 5: Moss reads a PC's clock chip. The chip is a model that may be caught in the middle of a change. */
/* sources: guestos/drivers/rtc.c tests/unit/moss_host.c */
#include <time.h>
#include "tests/unit/moss_host.h"
#include "expect.h"
#include "guestos/include/rtc.h"

/* Registers (MC146818A data sheet, "Address map"). */
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, REG_A = 10, REG_B = 11 };
#define UPDATING 0x80 /* of register A */
#define BINARY   0x04 /* of register B */
#define HOURS_24 0x02

static bool fitted, binary, lost; /* lost: the battery is empty, and the registers are 0 */
static time_t now;
static unsigned selected;
static unsigned updating;    /* so many looks at register A find it updating; then the next second is there */
static unsigned accesses;    /* to time registers */
static unsigned change_when; /* so many were made: the time changes just then, unannounced; 0: never */

static unsigned number_of(unsigned reg)
{
    struct tm t;

    gmtime_r(&now, &t);
    switch (reg) {
    case SECONDS:
        return (unsigned)t.tm_sec;
    case MINUTES:
        return (unsigned)t.tm_min;
    case HOURS:
        return (unsigned)t.tm_hour;
    case DAY:
        return (unsigned)t.tm_mday;
    case MONTH:
        return (unsigned)t.tm_mon + 1;
    case YEAR:
        return (unsigned)t.tm_year % 100;
    }
    return 0;
}

static uint8_t time_register(void)
{
    unsigned n = lost ? 0 : number_of(selected);

    if (++accesses == change_when)
        now++;
    if (updating)
        return 0x59; /* anything */
    return (uint8_t)(binary ? n : n / 10 * 16 + n % 10);
}

static uint8_t register_a(void)
{
    if (updating == 0)
        return 0x26;
    if (--updating == 0)
        now++;
    return 0x26 | UPDATING;
}

uint8_t in8(uint16_t port)
{
    if (!fitted)
        return 0xff;
    expect_number(port, 0x71, "the chip's data are at port 0x71");
    if (selected == REG_A)
        return register_a();
    if (selected == REG_B)
        return binary ? HOURS_24 | BINARY : HOURS_24;
    return time_register();
}

void out8(uint16_t port, uint8_t value)
{
    if (!fitted)
        return;
    expect_number(port, 0x70, "the number of the register is written to port 0x70");
    selected = value & 0x7f; /* bit 7 holds NMIs back */
}

static void fit(time_t time)
{
    fitted = true;
    now = time;
}

static time_t utc(int year, int month, int day, int hour, int minute, int second)
{
    struct tm t = {.tm_year = year - 1900,
                   .tm_mon = month - 1,
                   .tm_mday = day,
                   .tm_hour = hour,
                   .tm_min = minute,
                   .tm_sec = second};

    return timegm(&t);
}

static void the_time_in_bcd(void **state)
{
    (void)state;
    fit(utc(2026, 11, 30, 23, 58, 49));
    expect_number(
        rtc_read(), (uint64_t)now,
        "after reset a PC's chip counts in BCD: 49 seconds read as 0x49. Bit 2 of register B (11) is 0 then");
}

static void the_time_in_binary(void **state)
{
    (void)state;
    fit(utc(2026, 11, 30, 23, 58, 49));
    binary = true;
    expect_number(rtc_read(), (uint64_t)now,
                  "bit 2 of register B (11) is 1: the numbers are binary, 49 reads as 0x31");
}

static void any_day_of_the_century(void **state)
{
    (void)state;
    fitted = true;
    for (now = utc(2000, 1, 1, 0, 0, 0); now < utc(2100, 1, 1, 0, 0, 0); now += 86400 + 3661)
        expect_number(
            rtc_read(), (uint64_t)now,
            "days since 1970, then hours, minutes and seconds. The year has two digits, those from 2000 on");
}

static void an_update_is_waited_for(void **state)
{
    (void)state;
    fit(utc(2026, 11, 30, 23, 59, 59));
    updating = 5;
    expect_number(
        rtc_read(), (uint64_t)utc(2026, 12, 1, 0, 0, 0),
        "while bit 7 of register A (10) is set, the time registers are being changed and hold anything");
}

static void an_update_on_the_way_is_noticed(void **state)
{
    const time_t before = utc(2027, 12, 31, 23, 59, 59);

    (void)state;
    for (change_when = 1; change_when < 40; change_when++) {
        fit(before);
        accesses = 0;
        uint64_t got = rtc_read();
        if (got != (uint64_t)before && got != (uint64_t)before + 1)
            fail_msg("the chip went from %ld to %ld when register number %u was read, and rtc_read() gave "
                     "%lu\nIf the host holds "
                     "us up, a second begins between two registers. Read all of them again, until two "
                     "readings agree",
                     before, before + 1, change_when, got);
    }
}

static void a_machine_without_the_chip_has_no_time(void **state)
{
    (void)state;
    expect_number(rtc_read(), 0,
                  "where nothing answers, every read gives 0xff: ask once, by register B, and do not wait "
                  "for an update");
}

static void a_chip_without_a_battery_has_no_time(void **state)
{
    (void)state;
    fit(0);
    lost = true;
    expect_number(rtc_read(), 0,
                  "month 0 is no month: 0 says so (and a table of months has no place for it)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_in_bcd),
        cmocka_unit_test(the_time_in_binary),
        cmocka_unit_test(any_day_of_the_century),
        cmocka_unit_test(an_update_is_waited_for),
        cmocka_unit_test(an_update_on_the_way_is_noticed),
        cmocka_unit_test(a_machine_without_the_chip_has_no_time),
        cmocka_unit_test(a_chip_without_a_battery_has_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
