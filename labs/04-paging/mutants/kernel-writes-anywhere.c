/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.rights_are_those_of_all_levels_together,
 * unit_walk.without_wp_the_kernel_writes_anywhere. Mistake: lets the kernel write anywhere, whatever CR0.WP
 * says. */
static const char *denied(const struct walk *w, const struct kvm_sregs *sregs, unsigned access)
{
    if (access & WALK_USER && !w->user)
        return "KERNEL ONLY (ring 3 may not touch it)";
    if (access & WALK_FETCH && !w->executable)
        return "NO-EXECUTE (the NX bit is set)";
    if (access & WALK_FETCH && !(access & WALK_USER) && w->user && sregs->cr4 & CR4_SMEP)
        return "A USER PAGE (SMEP: the kernel may not execute it)";
    if (access & WALK_SMAP && !(access & WALK_FETCH) && w->user && sregs->cr4 & CR4_SMAP)
        return "A USER PAGE (SMAP: the kernel may touch it only between STAC and CLAC)";
    if (access & WALK_WRITE && !w->writable && access & WALK_USER)
        return "READ-ONLY";
    return NULL;
}
