/* Reading hvm_start_info, by which a PVH loader describes the machine (Xen:
 * public/arch-x86/hvm/start_info.h). */
#include "boot.h"
#include "layout.h"
#include "printk.h"
#include "string.h"

#define START_INFO_MAGIC 0x336ec578
#define MEMMAP_RAM       1
#define LOADER_REACH     (4ul << 30) /* the boot page tables map this much */

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp;
    uint64_t memmap; /* from version 1 on */
    uint32_t memmap_count, reserved;
};

struct module {
    uint64_t address, size, command_line, reserved;
};

struct memmap_entry {
    uint64_t address, size;
    uint32_t type, reserved;
};

struct boot_info boot;

/* The loader's structures are physical addresses; we see them through the direct map. */
static const void *loader_data(uint64_t physical, uint64_t size)
{
    if (physical >= LOADER_REACH || size > LOADER_REACH - physical)
        panic("the loader put boot data at %lx, above 4 GiB", physical);
    return (const void *)(DIRECT_BASE + physical);
}

static void read_memory_map(const struct start_info *info)
{
    const struct memmap_entry *map = loader_data(info->memmap, info->memmap_count * sizeof(*map));

    for (uint32_t i = 0; i < info->memmap_count; i++) {
        if (map[i].type != MEMMAP_RAM || map[i].address + map[i].size < map[i].address)
            continue;
        if (boot.ram_count == BOOT_RANGES_MAX)
            break; /* the rest of the memory stays unused */
        boot.ram[boot.ram_count++] = (struct memory_range){map[i].address, map[i].address + map[i].size};
    }
}

void boot_read(uint64_t start_info)
{
    const struct start_info *info = loader_data(start_info, sizeof(*info));

    if (info->magic != START_INFO_MAGIC)
        panic("not started by a PVH loader: start_info at %lx has no magic number", start_info);
    if (info->command_line)
        strcopy(boot.command_line, loader_data(info->command_line, sizeof(boot.command_line)),
                sizeof(boot.command_line));
    if (info->version < 1)
        panic("start_info version %u has no memory map", info->version);
    read_memory_map(info);
    if (info->module_count) {
        const struct module *module = loader_data(info->modules, sizeof(*module));
        boot.initrd = (struct memory_range){module->address, module->address + module->size};
    }
    boot.rsdp = info->rsdp;
}

/* The n-th word of the command line that begins with `prefix` of this length, or NULL. */
static const char *find_word(const char *prefix, size_t length, unsigned n)
{
    const char *word = boot.command_line;

    for (;;) {
        while (*word == ' ')
            word++;
        if (!*word)
            return NULL;
        if (strncmp(word, prefix, length) == 0 && n-- == 0)
            return word;
        while (*word && *word != ' ')
            word++;
    }
}

bool boot_flag(const char *word)
{
    size_t length = strlen(word);
    const char *found;

    for (unsigned n = 0; (found = find_word(word, length, n)); n++)
        if (found[length] == ' ' || found[length] == 0)
            return true;
    return false;
}

const char *boot_option(const char *name, unsigned n)
{
    size_t length = strlen(name);
    const char *found;

    for (unsigned i = 0; (found = find_word(name, length, i)); i++)
        if (found[length] == '=' && n-- == 0)
            return found + length + 1;
    return NULL;
}
