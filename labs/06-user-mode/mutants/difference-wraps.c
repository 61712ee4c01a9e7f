/* In: guestos/proc/user.c. Caught by: unit_user.a_sum_that_wraps_is_no_range,
 * unit_user.the_kernel_is_not_touched_for_a_program. Mistake: forgets that address may be above USER_END: the
 * difference is huge then. */
bool user_range(uint64_t address, size_t n)
{
    return n <= USER_END - address;
}
