/* In: guestos/kernel/clock.c. Caught by: unit_clock.an_update_in_between_is_noticed. Mistake: begins
 * again with the old reading of the counter. */
uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[this_cpu()->id];
    uint32_t version;
    uint64_t ns;

    uint64_t tsc = read_tsc();
    do {
        version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        ns = ns_of(c, tsc);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != c->version);
    return ns;
}
