/* Guest memory as a debugger sees it: through the page tables of a vCPU, or by physical address. */
#include "gdb.h"
#include "inspect.h"

/* The bytes at `addr` up to the end of its page, at most *size, which becomes their number. NULL: no RAM. */
static uint8_t *page_part(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, size_t *size)
{
    size_t rest = PAGE_SIZE - addr % PAGE_SIZE;
    struct walk w = {.gpa = addr};

    if (*size > rest)
        *size = rest;
    return sregs && !walk(vm, sregs, addr, 0, &w) ? NULL : guest_ptr(vm, w.gpa, *size);
}

size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write)
{
    size_t done, part;

    for (done = 0; done < size; done += part) {
        part = size - done;
        uint8_t *bytes = page_part(vm, sregs, addr + done, &part);
        if (!bytes)
            break;
        if (is_write)
            memcpy(bytes, (uint8_t *)data + done, part);
        else
            memcpy((uint8_t *)data + done, bytes, part);
    }
    return done;
}
