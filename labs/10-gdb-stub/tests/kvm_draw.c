/* Lab 10: the pictures of live state, of guests whose tables are as bad as can be. */
#include "guest.h"
#include "inspect/control.h"

GUEST(halt_code, ".code64", "hlt");

static struct vm *vm;
static char picture[1 << 16];

/* What the command draws. The guest has not run: it stands still. */
static const char *draw(const char *name, const char *argument, bool good)
{
    const char *const arguments[CONTROL_ARGUMENTS] = {argument, "", "", ""};
    FILE *out = fmemopen(picture, sizeof picture, "w");

    for (struct control **c = __start_controls; c < __stop_controls; c++)
        if (strcmp((*c)->name, name) == 0)
            expect_number((*c)->run(vm, arguments, out), good, name);
    fclose(out);
    return picture;
}

static uint64_t frames(char mark)
{
    char line[8] = "\n  ";

    line[3] = mark;
    line[4] = ' ';
    const char *at = strstr(picture, line);
    return at ? strtoul(at + 4, NULL, 10) : 0;
}

static int begin(void **state)
{
    (void)state;
    vm = vm_from_code64(halt_code, halt_code_end);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free_vm(vm);
    return 0;
}

static void the_map_counts_each_frame_once(void **state)
{
    (void)state;
    draw("memory", "", true);
    expect_number(frames('T'), 4, "PML4, PDPT, PD and the one PT of the first 2 MiB");
    expect_number(frames('a'), 0, "no page is a program's: no entry has the U bit");
    expect_number(frames('T') + frames('+') + frames('.') + frames('L'), GUEST_MEMORY / PAGE_SIZE,
                  "every frame is somebody's");
    expect_true(frames('+') >= 2, "the code and the GDT were touched");
}

static void a_page_is_a_programs_if_all_levels_say_so(void **state)
{
    (void)state;
    uint64_t *tables = guest_ptr(vm, TABLES64, 4 * PAGE_SIZE);

    tables[1536 + 5] |= 4;
    draw("memory", "", true);
    expect_number(frames('a'), 0, "U in the PT alone gives ring 3 nothing");
    tables[0] |= 4;
    tables[512] |= 4;
    tables[1024] |= 4;
    draw("memory", "", true);
    expect_number(frames('a'), 1, "U at every level");
    tables[1024 + 3] |= 4;
    draw("memory", "", true);
    expect_number(frames('a'), 1 + 512, "a large page is 512 frames");
}

/* Put a second address space into RAM, beside the one that runs. Its last level is returned. */
static uint64_t *second_space(uint64_t gpa)
{
    uint64_t *first = guest_ptr(vm, TABLES64, PAGE_SIZE), *second = guest_ptr(vm, gpa, 4 * PAGE_SIZE);

    first[511] = second[511] = 0x123000 | 3; /* the kernel's half */
    for (unsigned level = 0; level < 3; level++)
        second[512 * level] = (gpa + (level + 1) * PAGE_SIZE) | 7;
    return second + 512 * 3;
}

static void an_address_space_that_waits_is_found_by_the_kernels_half(void **state)
{
    (void)state;
    uint64_t *tables = guest_ptr(vm, TABLES64, 4 * PAGE_SIZE), *second = second_space(0x40000);

    for (unsigned level = 0; level < 3; level++)
        tables[512 * level] |= 4;
    tables[1536 + 5] |= 4;
    second[7] = 0x5000 | 7;
    second[8] = 0x6000 | 7;
    draw("memory", "", true);
    expect_number(frames('='), 1, "frame 5 is mapped by both");
    expect_number(frames('b'), 1, "frame 6 by the second");
    expect_number(frames('T'), 4 + 4 + 1, "tables of both, and one of the kernel's half");
    expect_contains(picture, "top table at 1000, which runs", "CR3's");
    expect_contains(picture, "top table at 40000\n", "found in RAM");
    *(uint64_t *)guest_ptr(vm, 0x40000 + 511 * 8, 8) = 0;
    draw("memory", "", true);
    expect_number(frames('b'), 0, "without the kernel's half it is none");
}

static void tables_that_point_at_themselves_end(void **state)
{
    (void)state;
    uint64_t *table = guest_ptr(vm, TABLES64, PAGE_SIZE);

    for (unsigned i = 0; i < 512; i++)
        table[i] = TABLES64 | 7;
    draw("memory", "", true);
    expect_number(frames('T'), 1, "the one table, followed once");
    for (uint64_t gpa = TABLES64; gpa < GUEST_MEMORY; gpa += PAGE_SIZE) {
        table = guest_ptr(vm, gpa, PAGE_SIZE);
        for (unsigned i = 0; i < 512; i++)
            table[i] = ((gpa + i * PAGE_SIZE) & (GUEST_MEMORY - 1)) | (i % 2 ? 0x87 : 7);
    }
    draw("memory", "", true);
    expect_true(frames('T') >= 1, "a RAM full of tables of 1 GiB pages takes no age");
}

static void a_walk_shows_each_level_and_why_it_ends(void **state)
{
    (void)state;
    expect_contains(draw("walk", "0x10000", true),
                    "PML4[0]  at 1000 holds 0000000000002003  present writable\n", "the first level");
    expect_contains(picture, "PT[16]", "bits 20..12 of the address");
    expect_contains(picture, "10000 (kernel, rwx)", "where it leads");
    expect_contains(draw("walk", "0x8000000000", true), "NOT PRESENT", "another PML4 entry");
    expect_contains(draw("walk", "here", false), "needs an address", "no number");
}

static void a_vcpu_shows_its_mode_and_registers(void **state)
{
    (void)state;
    expect_contains(draw("vcpus", "", true), "vCPU 0  runs, ring 0, 64-bit mode, interrupts off, 0 exits",
                    "long mode");
    expect_contains(picture, "RIP 0000000000010000", "at its first instruction");
}

static void devices_show_their_addresses(void **state)
{
    (void)state;
    record_port(vm, 0x500, 8, 0);
    expect_contains(draw("devices", "", true), "     500-507      recorder                  0 accesses",
                    "a claim");
}

GUEST(counting_code, ".code64", "1: incl 0x20000; jmp 1b");

/* Whether the counter moves; it is looked at until it does, or often. */
static bool counts(volatile uint32_t *counter)
{
    uint32_t before = *counter;

    for (long i = 0; i < 20000000; i++)
        if (*counter != before)
            return true;
    return false;
}

static void ask(const char *command)
{
    FILE *out = fmemopen(picture, sizeof picture, "w");

    control_answer(vm, command, strlen(command), out);
    fclose(out);
    expect_contains(picture, "{\"ok\":true,\"text\":\"vCPU 0  runs",
                    "an answer, whether the guest runs or not");
}

static void a_look_changes_nothing(void **state)
{
    (void)state;
    static const char command[] = "{\"command\":\"vcpus\"}";
    vm = vm_from_code64(counting_code, counting_code_end);
    volatile uint32_t *counter = guest_ptr(vm, 0x20000, 4);

    assert_int_equal(vm_start(vm), 0);
    while (*counter < 1000)
        ;
    ask(command);
    while (!counts(counter)) /* a guest that runs goes on */
        ;
    vm_pause(vm);
    ask(command);
    expect_true(!counts(counter), "a guest that somebody has paused stays so");
    vm_freeze(vm);
    vm_resume(vm);
    expect_true(!counts(counter), "a guest that is looked at stands still, whoever resumes it");
    vm_thaw(vm);
    while (!counts(counter))
        ;
    vm_stop(vm, 0);
    ask(command);
    vm_join(vm);
    free_vm(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_map_counts_each_frame_once, begin, end),
        cmocka_unit_test_setup_teardown(a_page_is_a_programs_if_all_levels_say_so, begin, end),
        cmocka_unit_test_setup_teardown(an_address_space_that_waits_is_found_by_the_kernels_half, begin, end),
        cmocka_unit_test_setup_teardown(tables_that_point_at_themselves_end, begin, end),
        cmocka_unit_test_setup_teardown(a_walk_shows_each_level_and_why_it_ends, begin, end),
        cmocka_unit_test_setup_teardown(a_vcpu_shows_its_mode_and_registers, begin, end),
        cmocka_unit_test_setup_teardown(devices_show_their_addresses, begin, end),
        cmocka_unit_test(a_look_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
