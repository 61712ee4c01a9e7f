/* Fuzz the page walk: any registers, any address, any page tables. */
/* sources: hypervisor/inspect/walk.c */
#include <string.h>
#include "inspect/inspect.h"

static uint8_t ram[16 * 4096];

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < sizeof ram && size <= sizeof ram - gpa ? ram + gpa : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kvm_sregs sregs = {0};
    uint64_t words[6];
    uint8_t bytes[32];
    struct walk w;

    if (size < sizeof words)
        return 0;
    memcpy(words, data, sizeof words);
    sregs.cr0 = words[0];
    sregs.cr3 = words[1];
    sregs.cr4 = words[2];
    sregs.efer = words[3];
    for (size_t i = 0; i < sizeof ram; i++) /* tables from the rest, again and again */
        ram[i] = data[sizeof words - 1 + i % (size - sizeof words + 1)];
    walk(NULL, &sregs, words[4], (unsigned)words[5], &w);
    walk_read(NULL, &sregs, words[4], bytes, sizeof bytes);
    return 0;
}
