/* Fuzz the kernel loader and the symbol reader with any bytes as the file. */
/* sources: hypervisor/boot/elf.c hypervisor/inspect/symbols.c hypervisor/memory.c hypervisor/host.c */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "boot/kernel.h"
#include "inspect/inspect.h"

static uint8_t ram[MiB];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vm vm = {.memory = sizeof ram, .ram = {{.size = sizeof ram, .hva = ram}}, .ram_count = 1};
    uint64_t entry = 0, offset;
    struct symbols symbols;
    struct elf elf;
    int fd = memfd_create("fuzz", 0);

    vm.reserved_count = 0;
    if (write(fd, data, size) == (ssize_t)size && elf_open(&elf, "fuzz", fd, size) == 0) {
        elf_find_note(&elf, "Xen", 18, &entry, sizeof entry);
        elf_segment_at(&elf, entry);
        elf_load(&elf, &vm);
    }
    symbols_load(&symbols, fd);
    symbols_find(&symbols, entry, &offset);
    symbols_free(&symbols);
    close(fd);
    return 0;
}
