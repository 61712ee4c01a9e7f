/* In: guestos/drivers/rtc.c. Caught by: unit_rtc.the_time_in_binary. Mistake: does not ask for the
 * format. */
static unsigned rtc_number(unsigned index)
{
    unsigned value = rtc_register(index);

    return (value >> 4) * 10 + (value & 15);
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
