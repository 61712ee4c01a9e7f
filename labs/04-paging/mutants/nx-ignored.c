/* In: hypervisor/inspect/walk.c. Caught by: unit_walk.rights_are_those_of_all_levels_together. Mistake:
 * forgets NX. */
static const char *denied(const struct walk *w, const struct kvm_sregs *sregs, unsigned access)
{
    if (access & WALK_USER && !w->user)
        return "KERNEL ONLY (ring 3 may not touch it)";
    if (access & WALK_FETCH && !(access & WALK_USER) && w->user && sregs->cr4 & CR4_SMEP)
        return "A USER PAGE (SMEP: the kernel may not execute it)";
    if (access & WALK_SMAP && !(access & WALK_FETCH) && w->user && sregs->cr4 & CR4_SMAP)
        return "A USER PAGE (SMAP: the kernel may touch it only between STAC and CLAC)";
    if (access & WALK_WRITE && !w->writable && (access & WALK_USER || sregs->cr0 & CR0_WP))
        return "READ-ONLY";
    return NULL;
}
