/* In: guestos/kernel/clock.c. Caught by: unit_clock.an_update_in_between_is_noticed. Mistake: looks at
 * the version once, before. */
uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[this_cpu()->id];
    uint32_t version;
    uint64_t ns;

    do {
        version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        ns = ns_of(c, read_tsc());
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1);
    return ns;
}
