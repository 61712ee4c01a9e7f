/* In: guestos/drivers/rtc.c. Caught by: unit_rtc.an_update_is_waited_for. Mistake: reads in the middle of
 * an update. */
static uint64_t rtc_seconds(void)
{
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
