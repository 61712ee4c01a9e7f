/* In: guestos/kernel/clock.c. Caught by: unit_clock.an_unfinished_update_is_waited_for. Mistake: only
 * wants the same version twice. */
uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[this_cpu()->id];
    uint32_t version;
    uint64_t ns;

    do {
        version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        ns = ns_of(c, read_tsc());
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version != c->version);
    return ns;
}
