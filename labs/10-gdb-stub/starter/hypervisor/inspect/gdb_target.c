/*
 * Fill *reg with register n: find its group in `groups` (gdb counts through all of them), its name (the
 * group's, with g->first + its number in the group), and where it lies: the group's place plus `stride` for
 * each one before it. bits is gdb's size; size is what we have of it, never more than gdb's. Returns false if
 * there are not so many. GDB manual, "Target Descriptions", "i386 Features". Handout, section 4.3.
 */
bool gdb_register(unsigned n, struct gdb_register *reg)
{
    (void)n, (void)reg, (void)groups;
    lab_todo(10, "gdb_register", "handout section 4.3");
    return false;
}
