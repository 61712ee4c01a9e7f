/* In: hypervisor/inspect/gdb_target.c. Caught by: unit_gdb_target.sizes_are_gdbs,
 * unit_gdb_target.a_value_lies_where_kvm_has_it. Mistake: reads gdb's size where KVM has less: what
 * follows is taken along. */
bool gdb_register(unsigned n, struct gdb_register *reg)
{
    const struct group *g = groups;

    for (; g < groups + COUNT(groups) && n >= g->count; g++)
        n -= g->count;
    if (g == groups + COUNT(groups))
        return false;
    *reg = (struct gdb_register){.type = g->type,
                                 .feature = g->feature,
                                 .bits = g->bits,
                                 .offset = (uint16_t)(g->at + n * g->stride),
                                 .size = (uint16_t)(g->bits / 8)};
    snprintf(reg->name, sizeof reg->name, g->name, g->first + n);
    return true;
}
