/* In: guestos/kernel/clock.c. Caught by: unit_clock.the_hosts_numbers_make_nanoseconds. Mistake: does not
 * subtract the reading of the host. */
static uint64_t ns_of(const volatile struct kvm_clock *c, uint64_t tsc)
{
    uint64_t delta = tsc;

    delta = c->shift >= 0 ? delta << c->shift : delta >> -c->shift;
    return c->ns + (uint64_t)((unsigned __int128)delta * c->multiplier >> 32);
}
