/* In: guestos/kernel/clock.c. Caught by: unit_clock.the_shift_comes_before_the_product. Mistake: shifts
 * when the fraction has been cut off. */
static uint64_t ns_of(const volatile struct kvm_clock *c, uint64_t tsc)
{
    uint64_t delta = tsc - c->tsc;

    delta = (uint64_t)((unsigned __int128)delta * c->multiplier >> 32);
    return c->ns + (c->shift >= 0 ? delta << c->shift : delta >> -c->shift);
}
