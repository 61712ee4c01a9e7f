/* What the loader told the kernel (PVH: struct hvm_start_info). */
#ifndef BOOT_H
#define BOOT_H

#include "types.h"

struct memory_range {
    uint64_t start, end; /* physical, end exclusive */
};

#define BOOT_RANGES_MAX 16

struct boot_info {
    char command_line[1024];
    struct memory_range ram[BOOT_RANGES_MAX]; /* usable memory as the loader reported it */
    unsigned ram_count;
    struct memory_range initrd; /* empty if there is none */
    uint64_t rsdp;              /* ACPI's root table, or 0 */
};

extern struct boot_info boot;

/* Read the start_info at this physical address. Called once, first of all. */
void boot_read(uint64_t start_info);

/* Is this word on the kernel command line? */
bool boot_flag(const char *word);

/*
 * Find the n-th (from 0) word `name=value` of the command line. Returns the value (it ends at a blank or at
 * the end of the line), or NULL.
 */
const char *boot_option(const char *name, unsigned n);

#endif
