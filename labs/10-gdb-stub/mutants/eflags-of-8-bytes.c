/* In: hypervisor/inspect/gdb_target.c. Caught by: unit_gdb_target.sizes_are_gdbs. Mistake: registers are
 * as large as KVM has them: EFLAGS gets 8 bytes. */
bool gdb_register(unsigned n, struct gdb_register *reg)
{
    const struct group *g = groups;

    for (; g < groups + COUNT(groups) && n >= g->count; g++)
        n -= g->count;
    if (g == groups + COUNT(groups))
        return false;
    *reg = (struct gdb_register){.type = g->type,
                                 .feature = g->feature,
                                 .bits = (unsigned)g->size * 8,
                                 .offset = (uint16_t)(g->at + n * g->stride),
                                 .size = (uint16_t)(g->size < g->bits / 8 ? g->size : g->bits / 8)};
    snprintf(reg->name, sizeof reg->name, g->name, g->first + n);
    return true;
}
