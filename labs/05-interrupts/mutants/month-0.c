/* In: guestos/drivers/rtc.c. Caught by: unit_rtc.a_chip_without_a_battery_has_no_time. Mistake: looks
 * month 0 up in the table of months. */
static uint64_t rtc_seconds(void)
{
    while (rtc_register(REG_UPDATING) & 0x80)
        ;
    unsigned month = rtc_number(8);
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
