/* System calls about a program's memory. */
#include "errno.h"
#include "frames.h"
#include "layout.h"
#include "process.h"
#include "syscall.h"
#include "vm.h"

static ssize_t sys_brk(uint64_t wanted)
{
    struct address_space *vm = current_process()->vm;
    uint64_t old_end = ROUND_UP(vm->brk, PAGE_SIZE), new_end = ROUND_UP(wanted, PAGE_SIZE);

    if (wanted < vm->brk_start || wanted >= USER_END)
        return vm->brk;
    if (new_end > old_end) {
        if (vm_overlaps(vm, old_end, new_end - old_end) ||
            vm_map(vm, old_end, new_end - old_end, PROT_READ | PROT_WRITE, false, NULL, 0, 0) != 0)
            return vm->brk;
    } else if (new_end < old_end && vm_unmap(vm, new_end, old_end - new_end) != 0) {
        return vm->brk;
    }
    vm->brk = wanted;
    return wanted;
}

/* Where a new mapping goes. Returns 0 or -errno. */
static int choose_address(struct address_space *vm, uint64_t *address, uint64_t size, uint32_t flags)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

    if (fixed && (*address % PAGE_SIZE || *address < USER_START || *address > USER_END - size))
        return *address % PAGE_SIZE ? -EINVAL : -ENOMEM;
    if ((flags & MAP_FIXED_NOREPLACE) && vm_overlaps(vm, *address, size))
        return -EEXIST;
    if (fixed)
        return 0;
    *address = ROUND_DOWN(*address, PAGE_SIZE); /* a hint */
    if (*address < USER_START || *address > MMAP_TOP - MIN(size, MMAP_TOP) || vm_overlaps(vm, *address, size))
        *address = vm_find_free(vm, size);
    return *address ? 0 : -ENOMEM;
}

/* The file to map; NULL for none. A program sees its own copy of the file's pages: what it writes stays with
 * it. */
static int mapped_file(int fd, uint32_t prot, uint32_t flags, struct file **out)
{
    *out = NULL;
    if (flags & MAP_ANONYMOUS)
        return 0;
    struct file *file = fd_file(fd);
    if (!file)
        return -EBADF;
    int error = 0;
    if (!file->vnode->ops->read || !S_ISREG(file->vnode->mode))
        error = -ENODEV;
    else if ((file->flags & O_ACCMODE) == O_WRONLY)
        error = -EACCES;
    else if ((flags & MAP_SHARED) && (prot & PROT_WRITE))
        error = -EOPNOTSUPP; /* would have to reach the file */
    if (error)
        file_put(file);
    else
        *out = file;
    return error;
}

static ssize_t sys_mmap(uint64_t address, uint64_t size, uint32_t prot, uint32_t flags, int fd,
                        uint64_t offset)
{
    struct address_space *vm = current_process()->vm;
    struct file *file;
    bool shared = flags & MAP_SHARED;

    if (size == 0 || offset % PAGE_SIZE || (prot & ~7u) || shared == !!(flags & MAP_PRIVATE))
        return -EINVAL;
    if (size > USER_END || offset + size < offset)
        return -ENOMEM;
    size = ROUND_UP(size, PAGE_SIZE);
    int error = mapped_file(fd, prot, flags, &file);
    if (error)
        return error;
    error = choose_address(vm, &address, size, flags);
    if (error == 0)
        error = vm_map(vm, address, size, prot, shared, file ? file->vnode : NULL, offset, size);
    if (file)
        file_put(file);
    return error ? error : (ssize_t)address;
}

/* munmap and mprotect round the length up, and refuse the same ranges. Returns 0 for such a range. */
static uint64_t rounded(uint64_t address, uint64_t size)
{
    size = size <= USER_END ? ROUND_UP(size, PAGE_SIZE) : 0;
    return address % PAGE_SIZE || address >= USER_END || size > USER_END - address ? 0 : size;
}

static ssize_t sys_munmap(uint64_t address, uint64_t size)
{
    size = rounded(address, size);
    return size && address >= USER_START ? vm_unmap(current_process()->vm, address, size) : -EINVAL;
}

static ssize_t sys_mprotect(uint64_t address, uint64_t size, uint32_t prot)
{
    if (address % PAGE_SIZE || (prot & ~7u))
        return -EINVAL;
    if (size == 0)
        return 0;
    size = rounded(address, size);
    return size && address >= USER_START ? vm_protect(current_process()->vm, address, size, prot) : -ENOMEM;
}

#define MADV_DONTNEED 4

/* Advice may be ignored, but for one kind, which promises zeros. */
static ssize_t sys_madvise(uint64_t address, uint64_t size, int advice)
{
    if (address % PAGE_SIZE)
        return -EINVAL;
    if (advice != MADV_DONTNEED || size == 0)
        return 0;
    size = rounded(address, size);
    return size ? vm_forget(current_process()->vm, address, size) : -EINVAL;
}

SYSCALL(9, sys_mmap);
SYSCALL(10, sys_mprotect);
SYSCALL(11, sys_munmap);
SYSCALL(12, sys_brk);
SYSCALL(28, sys_madvise);
