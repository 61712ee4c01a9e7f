/* Loading a program: an ELF file becomes areas of a new address space (System V ABI, chapter 5). */
#include "elf.h"
#include "errno.h"
#include "heap.h"
#include "layout.h"
#include "string.h"

#define PHDRS_MAX 64
#define BIAS      0x555555554000ul /* where a program goes that can go anywhere */

#define PT_LOAD   1
#define PT_INTERP 3
#define ET_EXEC   2
#define ET_DYN    3
#define EM_X86_64 62

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static int check_header(const struct elf_header *header)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; /* 64-bit, little-endian, version 1 */

    if (memcmp(header->ident, magic, sizeof(magic)) != 0 || header->machine != EM_X86_64)
        return -ENOEXEC;
    if (header->type != ET_EXEC && header->type != ET_DYN)
        return -ENOEXEC;
    if (header->phentsize != sizeof(struct elf_phdr) || header->phnum == 0 || header->phnum > PHDRS_MAX)
        return -ENOEXEC;
    return 0;
}

static int map_segment(struct address_space *vm, struct vnode *node, const struct elf_phdr *p, uint64_t bias)
{
    uint64_t inside = p->vaddr % PAGE_SIZE, start = p->vaddr - inside + bias;
    uint32_t prot =
        (p->flags & 4 ? PROT_READ : 0) | (p->flags & 2 ? PROT_WRITE : 0) | (p->flags & 1 ? PROT_EXEC : 0);

    if (p->memsz == 0)
        return 0;
    if (p->filesz > p->memsz || p->memsz > USER_END || p->vaddr > USER_END ||
        p->offset % PAGE_SIZE != inside || p->offset + p->filesz < p->offset ||
        p->offset + p->filesz > node->size)
        return -ENOEXEC;
    uint64_t size = ROUND_UP(inside + p->memsz, PAGE_SIZE);
    if (vm_overlaps(vm, start, size))
        return -ENOEXEC;
    int error = vm_map(vm, start, size, prot, false, node, p->offset - inside, inside + p->filesz);
    if (error == 0 && start + size > vm->brk)
        vm->brk = vm->brk_start = start + size;
    return error == -EINVAL ? -ENOEXEC : error;
}

static int map_segments(struct address_space *vm, struct vnode *node, const struct elf_phdr *phdrs,
                        unsigned count, uint64_t bias, uint64_t phoff, uint64_t *phdr_address)
{
    for (unsigned i = 0; i < count; i++) {
        const struct elf_phdr *p = &phdrs[i];
        if (p->type == PT_INTERP)
            return -ENOEXEC; /* needs a dynamic linker, which Moss has not */
        if (p->type != PT_LOAD)
            continue;
        int error = map_segment(vm, node, p, bias);
        if (error)
            return error;
        if (phoff >= p->offset && phoff - p->offset < p->filesz)
            *phdr_address = p->vaddr + (phoff - p->offset) + bias;
    }
    return vm->areas ? 0 : -ENOEXEC;
}

int elf_load(struct vnode *node, struct address_space *vm, struct elf_program *program)
{
    struct elf_header header;
    ssize_t n = vnode_read(node, &header, sizeof(header), 0);

    if (n < 0)
        return n;
    if (n != sizeof(header) || check_header(&header) != 0)
        return -ENOEXEC;
    size_t size = header.phnum * sizeof(struct elf_phdr);
    struct elf_phdr *phdrs = kmalloc(size);
    if (!phdrs)
        return -ENOMEM;
    uint64_t bias = header.type == ET_DYN ? BIAS : 0;
    int error = -ENOEXEC;
    *program = (struct elf_program){.entry = header.entry + bias, .phnum = header.phnum};
    if (vnode_read(node, phdrs, size, header.phoff) == (ssize_t)size)
        error = map_segments(vm, node, phdrs, header.phnum, bias, header.phoff, &program->phdrs);
    kfree(phdrs);
    if (error == 0 && program->entry >= USER_END)
        error = -ENOEXEC;
    return error;
}
