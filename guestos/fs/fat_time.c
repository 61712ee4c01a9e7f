/* FAT: dates and times (fatgen, "Date and Time Formats"). They are taken as UTC. */
#include "clock.h"
#include "fat.h"

#define FIRST_DAY   3652  /* 1980-01-01, in days since 1970 */
#define DAYS        46751 /* from then to 2107-12-31 */
#define DAY_SECONDS 86400

static unsigned days_in_year(unsigned year)
{
    return year % 4 == 0 && year != 2100 ? 366 : 365;
}

static unsigned days_in_month(unsigned month, unsigned year)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && days_in_year(year) == 366);
}

int64_t fat_time_to_ns(uint16_t date, uint16_t time)
{
    unsigned year = 1980 + (date >> 9), month = date >> 5 & 15, day = date & 31;
    int64_t days = FIRST_DAY;

    if (month < 1 || month > 12 || day < 1) /* no date at all */
        year = 1980, month = 1, day = 1;
    for (unsigned y = 1980; y < year; y++)
        days += days_in_year(y);
    for (unsigned m = 1; m < month; m++)
        days += days_in_month(m, year);
    days += day - 1;
    int64_t seconds = days * DAY_SECONDS + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
    return seconds * (int64_t)NS_PER_SECOND;
}

void fat_time_from_ns(int64_t ns, uint16_t *date, uint16_t *time)
{
    int64_t seconds = ns / (int64_t)NS_PER_SECOND - (int64_t)FIRST_DAY * DAY_SECONDS;
    int64_t last = (int64_t)DAYS * DAY_SECONDS - 2;
    unsigned year = 1980, month = 1;

    seconds = seconds < 0 ? 0 : MIN(seconds, last);
    unsigned days = seconds / DAY_SECONDS, rest = seconds % DAY_SECONDS;
    for (; days >= days_in_year(year); year++)
        days -= days_in_year(year);
    for (; days >= days_in_month(month, year); month++)
        days -= days_in_month(month, year);
    *date = (year - 1980) << 9 | month << 5 | (days + 1);
    *time = rest / 3600 << 11 | rest / 60 % 60 << 5 | rest % 60 / 2;
}
