/* In: guestos/kernel/clock.c. Caught by: unit_clock.each_cpu_has_its_own_numbers. Mistake: every CPU
 * reads the numbers of CPU 0. */
uint64_t clock_ns(void)
{
    const volatile struct kvm_clock *c = &clocks[0];
    uint32_t version;
    uint64_t ns;

    do {
        version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        ns = ns_of(c, read_tsc());
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((version & 1) || version != c->version);
    return ns;
}
