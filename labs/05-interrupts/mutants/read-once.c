/* In: guestos/drivers/rtc.c. Caught by: unit_rtc.an_update_on_the_way_is_noticed. Mistake: believes the
 * first reading, though a second may begin meanwhile. */
uint64_t rtc_read(void)
{
    if (rtc_register(REG_FORMAT) == 0xff) /* nothing answers at this port */
        return 0;
    return rtc_seconds();
}
