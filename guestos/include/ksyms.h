/* The kernel's own symbols, put into the image when it is linked for the second time. */
#ifndef KSYMS_H
#define KSYMS_H

#include "types.h"

/* Write "function+0x12" for a kernel address, or "?" if no function is there, into `to`. */
void symbol_name(uint64_t address, char *to, size_t size);

#endif
