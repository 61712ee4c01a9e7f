/* Copying to and from a program's memory. A bad address makes the copy stop, through the fix-up table, and is
 * reported. */
#include "cpu.h"
#include "errno.h"
#include "layout.h"
#include "user.h"

bool user_range(uint64_t address, size_t n)
{
    return address <= USER_END && n <= USER_END - address;
}

/* Copy n bytes, of which one side is a program's. Returns the number of bytes that were not copied. */
static size_t copy(void *to, const void *from, size_t n)
{
    user_access_begin();
    __asm__ volatile("1: rep movsb\n"
                     "2:\n"
                     ".pushsection extable, \"a\"\n"
                     ".quad 1b, 2b\n"
                     ".popsection"
                     : "+D"(to), "+S"(from), "+c"(n)
                     :
                     : "memory");
    user_access_end();
    return n;
}

int copy_from_user(void *to, uint64_t from, size_t n)
{
    return user_range(from, n) && copy(to, (const void *)from, n) == 0 ? 0 : -EFAULT;
}

int copy_to_user(uint64_t to, const void *from, size_t n)
{
    return user_range(to, n) && copy((void *)to, from, n) == 0 ? 0 : -EFAULT;
}

int clear_user(uint64_t to, size_t n)
{
    static const char zeros[256];

    for (size_t part; n; to += part, n -= part) {
        part = MIN(n, sizeof(zeros));
        if (copy_to_user(to, zeros, part) != 0)
            return -EFAULT;
    }
    return 0;
}

ssize_t string_from_user(char *to, uint64_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (copy_from_user(to + i, from + i, 1) != 0)
            return -EFAULT;
        if (!to[i])
            return i;
    }
    return -ENAMETOOLONG;
}
