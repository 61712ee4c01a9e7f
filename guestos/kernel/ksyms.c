/* From an address to the name of the kernel function that holds it. */
#include "ksyms.h"
#include "layout.h"
#include "printk.h"

/* Made by scripts/ksyms from the first link: functions sorted by address, the names as offsets into
 * ksym_names. */
struct ksym {
    uint32_t offset; /* from KERNEL_BASE */
    uint32_t name;
};

extern const struct ksym ksyms[];
extern const uint32_t ksym_count;
extern const char ksym_names[];
extern const char kernel_text_end[];

void symbol_name(uint64_t address, char *to, size_t size)
{
    uint64_t offset = address - KERNEL_BASE;
    uint32_t low = 0, high = ksym_count;

    while (low < high) { /* the first symbol beyond the address */
        uint32_t middle = low + (high - low) / 2;
        if (ksyms[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || offset >= (uint64_t)kernel_text_end - KERNEL_BASE) /* below the base, the offset wraps */
        format(to, size, "?");
    else
        format(to, size, "%s+0x%lx", ksym_names + ksyms[low - 1].name, offset - ksyms[low - 1].offset);
}
