/* The only ways by which the kernel touches a program's memory. */
#ifndef USER_H
#define USER_H

#include "types.h"

/*
 * Copy between the kernel and the current program. Returns 0, or -EFAULT if any part of the program's range
 * is not below USER_END, not mapped, or not writable; part may have been copied by then. The current thread
 * may sleep.
 */
int copy_from_user(void *to, uint64_t from, size_t n);
int copy_to_user(uint64_t to, const void *from, size_t n);

/* Fill with zeros. Returns 0 or -EFAULT. */
int clear_user(uint64_t to, size_t n);

/* Copy a string of less than `size` bytes. Returns its length, -EFAULT, or -ENAMETOOLONG if no zero comes in
 * time. */
ssize_t string_from_user(char *to, uint64_t from, size_t size);

/* Is [address, address + n) inside the part of the address space that programs have? */
bool user_range(uint64_t address, size_t n);

#endif
