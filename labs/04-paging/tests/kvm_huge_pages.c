/* Lab 4: --huge-pages has the host give RAM in pages of 2 MiB, and without it in pages of 4 KiB. */
#include <sys/mman.h>
#include "guest.h"

#define HUGE    (2 * MiB)
#define PAGES   (HUGE / 4096)
#define SETTING "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* Of the 2 MiB at `gpa`, whose first byte is touched, how many pages of 4 KiB has the host given? */
static unsigned given(struct vm *vm, uint64_t gpa)
{
    volatile uint8_t *at = guest_ptr(vm, gpa, HUGE);
    unsigned char there[PAGES];
    unsigned n = 0;

    *at = 1;
    assert_int_equal(mincore((void *)at, HUGE, there), 0);
    for (unsigned i = 0; i < PAGES; i++)
        n += there[i] & 1;
    return n;
}

static bool host_allows(void)
{
    char text[128] = "";
    FILE *file = fopen(SETTING, "re");
    bool read = file && fgets(text, sizeof text, file);

    if (file)
        fclose(file);
    return read && !strstr(text, "[never]") && !strstr(text, "[deny]");
}

static void a_touch_gets_2_mib_only_when_asked_for(void **state)
{
    const char *args[] = {"run", "--memory", "16M", "--huge-pages"};

    (void)state;
    if (!host_allows()) {
        print_message("the host gives no huge pages to memory files (" SETTING ")\n");
        skip();
    }
    struct vm *vm = vm_from_options(4, args);
    expect_number(given(vm, 4 * MiB), PAGES, "with --huge-pages a touch gets all of the 2 MiB");
    free_vm(vm);
    vm = vm_from_options(3, args);
    expect_number(given(vm, 4 * MiB), 1, "without it, the 4 KiB that were touched");
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_touch_gets_2_mib_only_when_asked_for)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
