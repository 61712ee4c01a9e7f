/* The MC146818 clock chip, read once, when no better clock is there. */
#include "io.h"
#include "rtc.h"

#define RTC_INDEX 0x70
#define RTC_DATA  0x71

#define REG_UPDATING 10 /* bit 7: the time is being changed */
#define REG_FORMAT   11 /* bit 2: binary, else BCD */

static unsigned rtc_register(unsigned index)
{
    out8(RTC_INDEX, index);
    return in8(RTC_DATA);
}

static unsigned rtc_number(unsigned index)
{
    unsigned value = rtc_register(index);

    return rtc_register(REG_FORMAT) & 4 ? value : (value >> 4) * 10 + (value & 15);
}

/* Days from 1970-01-01 to a date from 2000 on. */
static uint64_t days(unsigned year, unsigned month, unsigned day)
{
    static const unsigned before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    unsigned leap = (year - 1968) / 4 - (year % 4 == 0 && month <= 2);

    return (year - 1970) * 365 + leap + before[month - 1] + day - 1;
}

/* What the registers say; 0: no time at all. */
static uint64_t rtc_seconds(void)
{
    while (rtc_register(REG_UPDATING) & 0x80)
        ;
    unsigned month = rtc_number(8);
    if (month < 1 || month > 12)
        return 0;
    uint64_t hours = days(2000 + rtc_number(9), month, rtc_number(7)) * 24 + rtc_number(4);
    return (hours * 60 + rtc_number(2)) * 60 + rtc_number(0);
}

uint64_t rtc_read(void)
{
    uint64_t seconds, again;

    if (rtc_register(REG_FORMAT) == 0xff) /* nothing answers at this port */
        return 0;
    do { /* an update may begin between two registers: believe what comes twice */
        seconds = rtc_seconds();
        again = rtc_seconds();
    } while (seconds != again);
    return seconds;
}
