/* In: guestos/drivers/rtc.c. Caught by: unit_rtc.the_time_in_bcd. Mistake: takes 0x59 for 89. */
static unsigned rtc_number(unsigned index)
{
    return rtc_register(index);
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
