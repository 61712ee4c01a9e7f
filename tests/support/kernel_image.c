/* A minimal kernel: an ELF file with a PVH note around a few instructions, for tests that boot. */
#include <elf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kernel_image.h"

#define CODE_MAX 1024

struct kernel_file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    struct {
        Elf64_Nhdr header;
        char owner[4];
        uint32_t entry;
    } note;
    uint8_t code[CODE_MAX];
};

const char *file_of(const void *bytes, unsigned long size)
{
    static char paths[8][32];
    static unsigned next;
    char *path = paths[next++ % 8];
    int fd = memfd_create("file", 0);

    if (write(fd, bytes, size) != (ssize_t)size)
        perror("memfd");
    snprintf(path, sizeof paths[0], "/proc/self/fd/%d", fd);
    return path;
}

const char *kernel_image(const uint8_t *code, const uint8_t *end)
{
    struct kernel_file f = {
        .header = {.e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = 1,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_entry = KERNEL_BASE + 4,
                   .e_phnum = 2},
        .segments = {{.p_type = PT_NOTE,
                      .p_offset = offsetof(struct kernel_file, note),
                      .p_filesz = sizeof f.note},
                     {.p_type = PT_LOAD,
                      .p_flags = PF_R | PF_W | PF_X,
                      .p_offset = offsetof(struct kernel_file, code),
                      .p_paddr = KERNEL_BASE,
                      .p_filesz = CODE_MAX,
                      .p_memsz = 0x10000}},
        .note = {.header = {4, 4, 18}, .owner = "Xen", .entry = KERNEL_BASE},
    };

    memcpy(f.header.e_ident, "\177ELF\2\1\1", 7);
    memcpy(f.code, code, (size_t)(end - code));
    return file_of(&f, sizeof f);
}
