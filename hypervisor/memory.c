/* Guest RAM: a memfd mapped below and above the device hole, and the one checked way into it. */
#include <sys/mman.h>
#include <unistd.h>
#include "vm.h"

static int memory_add(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t fd_offset)
{
    /* NORESERVE: a page costs the host something once the guest touches it, so a guest may be larger than the
     * host. */
    void *hva =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, vm->ram_fd, (off_t)fd_offset);
    if (hva == MAP_FAILED)
        return complain(-ENOMEM, "cannot map %lu MiB of guest RAM: %s; try a smaller --memory", size / MiB,
                        strerror(errno));
    struct kvm_userspace_memory_region region = {vm->ram_count, 0, gpa, size, (uintptr_t)hva};
    vm->ram[vm->ram_count] = (struct ram){gpa, size, hva, vm->ram_count};
    vm->ram_count++;
    return kvm_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region, "take so much RAM; try a smaller --memory");
}

int memory_init(struct vm *vm)
{
    uint64_t low = vm->memory < RAM_LOW_END ? vm->memory : RAM_LOW_END;

    vm->ram_fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (vm->ram_fd < 0 || ftruncate(vm->ram_fd, (off_t)vm->memory) < 0)
        return complain(-ENOMEM, "cannot make a memory file of %lu MiB for guest RAM: %s", vm->memory / MiB,
                        strerror(errno));
    int err = memory_add(vm, 0, low, 0);
    return err || vm->memory == low ? err : memory_add(vm, RAM_HIGH_BASE, vm->memory - low, low);
}

void memory_free(struct vm *vm)
{
    for (unsigned i = 0; i < vm->ram_count; i++)
        munmap(vm->ram[i].hva, vm->ram[i].size);
    if (vm->ram_fd >= 0)
        close(vm->ram_fd);
}

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    for (unsigned i = 0; i < vm->ram_count; i++) {
        const struct ram *ram = &vm->ram[i];
        uint64_t offset = gpa - ram->gpa; /* huge when gpa lies below: the next line turns that down too */
        if (offset < ram->size && size <= ram->size - offset)
            return ram->hva + offset;
    }
    return NULL;
}

int memory_reserve(struct vm *vm, uint64_t gpa, uint64_t size, const char *name)
{
    if (!guest_ptr(vm, gpa, size))
        return complain(-EFAULT, "%s at 0x%lx, %lu bytes, is not in the guest's RAM of %lu MiB", name, gpa,
                        size, vm->memory / MiB);
    for (const struct range *r = vm->reserved; r < vm->reserved + vm->reserved_count; r++)
        if (gpa < r->gpa + r->size && r->gpa < gpa + size)
            return complain(-EEXIST, "%s at 0x%lx, %lu bytes, overlaps %s at 0x%lx", name, gpa, size, r->name,
                            r->gpa);
    if (vm->reserved_count == COUNT(vm->reserved))
        return complain(-ENOSPC, "%s: the guest's RAM is in too many pieces", name);
    vm->reserved[vm->reserved_count++] = (struct range){gpa, size, name};
    return 0;
}

unsigned memory_map(struct vm *vm, struct map_entry *map)
{
    unsigned n = 0;

    /* A PC keeps video memory and firmware between 640 KiB and 1 MiB; kernels look there only if told it is
     * not RAM. */
    map[n++] = (struct map_entry){0, 640 * KiB, MAP_RAM, 0};
    map[n++] = (struct map_entry){640 * KiB, MiB - 640 * KiB, MAP_RESERVED, 0};
    if (vm->ram[0].size > MiB)
        map[n++] = (struct map_entry){MiB, vm->ram[0].size - MiB, MAP_RAM, 0};
    if (vm->ram_count > 1)
        map[n++] = (struct map_entry){vm->ram[1].gpa, vm->ram[1].size, MAP_RAM, 0};
    return n;
}
