/* Lab 10: the registers as gdb numbers them, and memory through a guest's page tables. */
/* sources: hypervisor/inspect/gdb_target.c hypervisor/inspect/gdb_memory.c hypervisor/inspect/walk.c */
#include <stdlib.h>
#include "expect.h"
#include "inspect/gdb.h"

#define RAM_SIZE 0x10000ul
#define PRESENT  3ul /* and writable */

static uint8_t ram[RAM_SIZE];
static struct vm vm;
static struct kvm_sregs sregs;

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < RAM_SIZE && size <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

/* Long mode; the virtual pages 0x400000 and 0x401000 are the physical 0x8000 and 0x6000, 0x402000 is absent,
 * 0x403000 is read-only, 0x404000 is no RAM. */
static int begin(void **state)
{
    uint64_t *table = (uint64_t *)ram;

    (void)state;
    memset(ram, 0, sizeof ram);
    table[0x1000 / 8] = 0x2000 | PRESENT;
    table[0x2000 / 8] = 0x3000 | PRESENT;
    table[0x3000 / 8 + 2] = 0x4000 | PRESENT;
    table[0x4000 / 8 + 0] = 0x8000 | PRESENT;
    table[0x4000 / 8 + 1] = 0x6000 | PRESENT;
    table[0x4000 / 8 + 3] = 0x7000 | 1;
    table[0x4000 / 8 + 4] = 0xfee00000 | PRESENT;
    sregs = (struct kvm_sregs){
        .cr0 = 1ul << 31 | 1 << 16 | 1, .cr3 = 0x1000, .cr4 = 1 << 5, .efer = 1 << 10 | 1 << 8};
    return 0;
}

static unsigned number_of(const char *name, struct gdb_register *reg)
{
    for (unsigned n = 0; gdb_register(n, reg); n++)
        if (strcmp(reg->name, name) == 0)
            return n;
    fail_msg("there is no register %s", name);
    return 0;
}

static void the_order_is_gdbs(void **state)
{
    static const struct {
        unsigned number;
        const char *name;
    } known[] = {{0, "rax"},  {1, "rbx"},   {2, "rcx"},    {3, "rdx"},      {4, "rsi"},     {5, "rdi"},
                 {6, "rbp"},  {7, "rsp"},   {8, "r8"},     {15, "r15"},     {16, "rip"},    {17, "eflags"},
                 {18, "cs"},  {19, "ss"},   {23, "gs"},    {24, "st0"},     {31, "st7"},    {32, "fctrl"},
                 {39, "fop"}, {40, "xmm0"}, {56, "mxcsr"}, {57, "fs_base"}, {58, "gs_base"}};
    struct gdb_register reg;

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        char lesson[200];
        snprintf(lesson, sizeof lesson,
                 "register %u: gdb counts through the groups in their order, and the name is the group's, "
                 "with `first` and the place in the group",
                 known[i].number);
        expect_text(gdb_register(known[i].number, &reg) ? reg.name : NULL, known[i].name, lesson);
    }
}

static void sizes_are_gdbs(void **state)
{
    struct gdb_register reg;

    (void)state;
    number_of("eflags", &reg);
    expect_number(reg.bits, 32, "EFLAGS has 32 bits for gdb");
    number_of("cs", &reg);
    expect_number(reg.bits, 32, "so has a selector, although the CPU has 16");
    expect_number(reg.size, 2, "of which KVM keeps 2 bytes");
    number_of("st3", &reg);
    expect_number(reg.bits, 80, "x87 registers have 80 bits");
    number_of("xmm15", &reg);
    expect_number(reg.bits, 128, "XMM registers have 128 bits");
}

static void a_value_lies_where_kvm_has_it(void **state)
{
    struct gdb_registers *r = calloc(1, sizeof *r);
    struct gdb_register reg;
    uint8_t value[16];

    (void)state;
    r->regs.r9 = 0x1122334455667788;
    number_of("r9", &reg);
    register_get(r, &reg, value);
    expect_bytes(value, "\x88\x77\x66\x55\x44\x33\x22\x11", 8,
                 "in the guest's byte order: the low byte first");
    r->sregs.cs.selector = 0x33;
    r->sregs.cs.type = 0xff; /* lies behind it */
    number_of("cs", &reg);
    register_get(r, &reg, value);
    expect_bytes(value, "\x33\0\0", 4, "what KVM does not have of a register is zero");
    memset((uint8_t *)&r->xsave + 160 + 16 * 2, 0xab, 16);
    number_of("xmm2", &reg);
    register_get(r, &reg, value);
    expect_number(value[0], 0xab, "XMM2 lies at byte 192 of the FXSAVE area (Intel SDM 1 §10.5.1)");
    free(r);
}

static void every_register_can_be_set_alone(void **state)
{
    struct gdb_registers *r = calloc(1, sizeof *r);
    uint8_t set[16], got[16];
    struct gdb_register reg;

    (void)state;
    for (unsigned n = 0; gdb_register(n, &reg); n++) {
        memset(r, 0, sizeof *r);
        memset(set, 0, sizeof set);
        memset(set, 0xa5, reg.size);
        register_set(r, &reg, set);
        register_get(r, &reg, got);
        expect_bytes(got, set, reg.bits / 8, reg.name);
        struct gdb_register other;
        for (unsigned m = 0; gdb_register(m, &other); m++) {
            register_get(r, &other, got);
            for (unsigned i = 0; m != n && i < other.size; i++)
                expect_number(got[i], 0, "setting one register must not change another");
        }
    }
    free(r);
}

static void the_description_names_all_registers(void **state)
{
    char *xml = NULL, wanted[64];
    struct gdb_register reg;
    size_t size;
    FILE *out = open_memstream(&xml, &size);

    (void)state;
    target_print(out);
    fclose(out);
    for (unsigned n = 0; gdb_register(n, &reg); n++) {
        snprintf(wanted, sizeof wanted, "<reg name='%s' bitsize='%u'", reg.name, reg.bits);
        expect_contains(xml, wanted, "gdb knows a register by the description alone");
    }
    free(xml);
}

static void memory_goes_through_the_page_tables(void **state)
{
    char bytes[16] = "";

    (void)state;
    memcpy(ram + 0x8ffc, "left", 4);
    memcpy(ram + 0x6000, "right", 5);
    expect_number(gdb_memory(&vm, &sregs, 0x400ffc, bytes, 9, false), 9,
                  "two pages, side by side only virtually");
    expect_bytes(bytes, "leftright", 9, "each page has its own translation");
    expect_number(gdb_memory(&vm, &sregs, 0x400ffe, (char[]){"1234"}, 4, true), 4, "writes do, too");
    expect_bytes(ram + 0x8ffe, "12", 2, "the end of the first page");
    expect_bytes(ram + 0x6000, "34", 2, "the beginning of the second");
}

static void what_is_not_mapped_is_not_read(void **state)
{
    char bytes[32];

    (void)state;
    expect_number(gdb_memory(&vm, &sregs, 0x402000, bytes, 8, false), 0, "the page is not present");
    expect_number(gdb_memory(&vm, &sregs, 0x401ff8, bytes, 16, false), 8, "only what lies before it");
    expect_number(gdb_memory(&vm, &sregs, 0x404000, bytes, 8, false), 0,
                  "a device's page: reading may change it");
    expect_number(gdb_memory(&vm, &sregs, 1ul << 47, bytes, 8, false), 0, "no canonical address");
    expect_number(gdb_memory(&vm, &sregs, UINT64_MAX - 3, bytes, 8, false), 0,
                  "the end of the address space");
}

static void a_debugger_may_write_what_the_guest_may_not(void **state)
{
    (void)state;
    expect_number(gdb_memory(&vm, &sregs, 0x403000, (char[]){"x"}, 1, true), 1,
                  "code is read-only, and is patched");
    expect_number(ram[0x7000], 'x', "it is there");
}

static void physical_addresses_are_taken_as_they_are(void **state)
{
    char bytes[8];

    (void)state;
    memcpy(ram + 0x6000, "physical", 8);
    expect_number(gdb_memory(&vm, NULL, 0x6000, bytes, 8, false), 8, "no translation");
    expect_bytes(bytes, "physical", 8, "the bytes of RAM");
    expect_number(gdb_memory(&vm, NULL, RAM_SIZE - 4, bytes, 8, false), 4, "what is RAM of it");
    expect_number(gdb_memory(&vm, NULL, RAM_SIZE, bytes, 8, false), 0, "RAM ends here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_order_is_gdbs, begin),
        cmocka_unit_test_setup(sizes_are_gdbs, begin),
        cmocka_unit_test_setup(a_value_lies_where_kvm_has_it, begin),
        cmocka_unit_test_setup(every_register_can_be_set_alone, begin),
        cmocka_unit_test_setup(the_description_names_all_registers, begin),
        cmocka_unit_test_setup(memory_goes_through_the_page_tables, begin),
        cmocka_unit_test_setup(what_is_not_mapped_is_not_read, begin),
        cmocka_unit_test_setup(a_debugger_may_write_what_the_guest_may_not, begin),
        cmocka_unit_test_setup(physical_addresses_are_taken_as_they_are, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
