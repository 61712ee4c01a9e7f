/* Lab 4: our page walk against the one that KVM does (KVM_TRANSLATE), over many addresses and kinds of pages.
 */
#include "guest.h"
#include "inspect/inspect.h"

GUEST(halt64_code, ".code64", "hlt");

static void compare(struct vm *vm, uint64_t gva)
{
    struct kvm_translation t = {.linear_address = gva};
    struct kvm_sregs sregs = guest_sregs(vm);
    struct walk w;

    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_TRANSLATE, &t), 0);
    bool ok = walk(vm, &sregs, gva, 0, &w);
    if (ok != (bool)t.valid)
        fail_msg("address 0x%llx: KVM says %s, the walk says %s", (unsigned long long)gva,
                 t.valid ? "mapped" : "not mapped", ok ? "mapped" : w.why);
    if (ok)
        expect_number(w.gpa, t.physical_address, "the walk and KVM must find the same physical address");
}

static void walk_agrees_with_kvm_on_4k_2m_and_1g_pages(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(halt64_code, halt64_code_end);
    uint64_t *pdpt = guest_ptr(vm, TABLES64 + 0x1000, 4096), *pt = guest_ptr(vm, TABLES64 + 0x3000, 4096);

    pdpt[2] = 0x40000083; /* 1 GiB at 2 GiB */
    pt[7] = 0;
    pt[9] = 0x5000 | 1;
    for (uint64_t gva = 0; gva < 20 * MiB; gva += 4096 * 3 + 123)
        compare(vm, gva);
    const uint64_t some[] = {0x7000, 0x9123, 0x80000000, 0xbfffffff, 0x40000000, 0xc0000000, 0x7fffffffffff};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        compare(vm, some[i]);
    free_vm(vm);
}

static void walk_agrees_with_kvm_on_random_tables(void **state)
{
    (void)state;
    struct vm *vm = vm_from_code64(halt64_code, halt64_code_end);
    uint64_t *pml4 = guest_ptr(vm, TABLES64, 4096), *pd = guest_ptr(vm, TABLES64 + 0x2000, 4096);

    srand(1);
    for (int i = 0; i < 2000; i++) { /* entries that point back into the tables, to nowhere, and to data */
        pd[rand() % 512] = ((uint64_t)(rand() % 4096) << 12) | (unsigned)(rand() & 7);
        pml4[rand() % 255 + 1] = (TABLES64 + (uint64_t)(rand() % 4) * 4096) | 3;
        compare(vm, (uint64_t)(rand() % 256) << 39 | (uint64_t)(rand() % 4) << 30 |
                        (uint64_t)(unsigned)rand() % (1 << 30));
    }
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_agrees_with_kvm_on_4k_2m_and_1g_pages),
        cmocka_unit_test(walk_agrees_with_kvm_on_random_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
