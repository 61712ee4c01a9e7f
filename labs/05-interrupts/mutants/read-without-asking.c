/* In: guestos/kernel/clock.c. Caught by: unit_clock.an_update_in_between_is_noticed. Mistake: does not
 * look at the version. */
uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[this_cpu()->id];

    return ns_of(c, read_tsc());
}
