/* Loading kernels: the table of formats, the ELF file, and what the PVH protocol puts into memory. */
#ifndef KERNEL_H
#define KERNEL_H

#include <elf.h>
#include "../feature.h"

/* A kernel's format: a record in a table, so that a new one is a new file. */
struct loader {
    bool (*probe)(const uint8_t head[PAGE_SIZE]); /* is this the beginning of such a file? (zeros follow) */
    /* Load the file, of `size` bytes, and put vCPU 0 at its entry. Returns 0 or -errno after a complain(). */
    int (*load)(struct vm *vm, const char *path, int fd, uint64_t size);
};

#define LOADER(name) LINKED(loader, name, "loaders")
extern struct loader *__start_loaders[], *__stop_loaders[];

#define ELF_SEGMENTS_MAX 32

/* An ELF64 executable for x86-64. */
struct elf {
    const char *name; /* for messages */
    int fd;
    Elf64_Ehdr header;
    Elf64_Phdr segments[ELF_SEGMENTS_MAX];
};

/* Read and check the headers of a file of `size` bytes. Returns 0 or -ENOEXEC after a complain(). */
int elf_open(struct elf *elf, const char *name, int fd, uint64_t size);

/* Put the loadable segments at their physical addresses, as memory_reserve() allows. What the file does not
 * fill (.bss) stays as it is: the RAM of a new machine is zero. Returns 0 or -errno after a complain(). */
int elf_load(const struct elf *elf, struct vm *vm);

/* Look for a note (ELF specification, "Note Section") by owner and type; copy its descriptor, at most `size`
 * bytes of it, to `desc`. Returns the number of bytes that the descriptor has, -ENOENT if there is no such
 * note, -ENOEXEC after a complain() if one overruns. */
int elf_find_note(const struct elf *elf, const char *owner, uint32_t type, void *desc, size_t size);

/* The loadable segment that holds physical address `paddr`, or NULL. */
const Elf64_Phdr *elf_segment_at(const struct elf *elf, uint64_t paddr);

/* What a PVH kernel finds in memory (Xen, xen/include/public/arch-x86/hvm/start_info.h). All numbers are
 * little-endian. */
struct pvh_start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
    uint64_t memmap_paddr; /* this and the rest since version 1 */
    uint32_t memmap_entries, reserved;
};

struct pvh_module {
    uint64_t paddr, size, cmdline_paddr, reserved;
};

#define PVH_BOOT_DATA 0x6000 /* guest-physical; EBX holds it at the entry */

/* All of it in one piece. The kernel learns where the parts are from `info`. */
struct pvh_boot_data {
    struct pvh_start_info info;
    struct pvh_module initrd;
    struct map_entry map[MAP_ENTRIES_MAX];
    char cmdline[CMDLINE_MAX];
};

#endif
