/* In: guestos/kernel/clock.c. Caught by: unit_clock.ten_seconds_do_not_overflow. Mistake: multiplies in
 * 64 bits. */
static uint64_t ns_of(const volatile struct kvm_clock *c, uint64_t tsc)
{
    uint64_t delta = tsc - c->tsc;

    delta = c->shift >= 0 ? delta << c->shift : delta >> -c->shift;
    return c->ns + (uint64_t)(delta * c->multiplier >> 32);
}
