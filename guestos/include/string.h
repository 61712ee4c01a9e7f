/* The routines of <string.h> that the kernel uses, as in the C standard. */
#ifndef STRING_H
#define STRING_H

#include "types.h"

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copy s with its zero into `to`, which has room for `size` bytes; what does not fit is cut off. */
void strcopy(char *to, const char *s, size_t size);

#endif
