/* In: guestos/kernel/clock.c. Caught by: unit_clock.a_negative_shift_goes_to_the_right. Mistake: shifts
 * to the left only. */
static uint64_t ns_of(const volatile struct kvm_clock *c, uint64_t tsc)
{
    uint64_t delta = tsc - c->tsc;

    delta = delta << (uint8_t)c->shift % 64;
    return c->ns + (uint64_t)((unsigned __int128)delta * c->multiplier >> 32);
}
