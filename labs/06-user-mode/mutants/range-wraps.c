/* In: guestos/proc/user.c. Caught by: unit_user.a_sum_that_wraps_is_no_range. Mistake: adds two numbers of
 * the program's: the sum wraps and is small. */
bool user_range(uint64_t address, size_t n)
{
    return address + n <= USER_END;
}
