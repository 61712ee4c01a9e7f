/* Lab 4: symbol names from a kernel's ELF file, and from files that lie about theirs. */
/* sources: hypervisor/inspect/symbols.c hypervisor/host.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include "inspect/inspect.h"

static size_t bytes_read;

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
    bytes_read += size;
    return syscall(SYS_pread64, fd, to, size, offset);
}

/* A file with two sections besides the empty first: the symbols and their names. */
struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[3];
    Elf64_Sym symbols[4];
    char names[32];
};

static struct image good_image(void)
{
    struct image i = {0};

    memcpy(i.header.e_ident, "\177ELF\2\1\1", 7);
    i.header.e_shoff = offsetof(struct image, sections);
    i.header.e_shentsize = sizeof i.sections[0];
    i.header.e_shnum = 3;
    i.sections[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
                                 .sh_offset = offsetof(struct image, symbols),
                                 .sh_size = sizeof i.symbols,
                                 .sh_link = 2};
    i.sections[2] = (Elf64_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, names), .sh_size = sizeof i.names};
    memcpy(i.names, "\0kmain\0recurse\0data", 19);
    i.symbols[1] =
        (Elf64_Sym){.st_name = 1, .st_value = 0x1000, .st_size = 0x20, .st_shndx = 1, .st_info = STT_FUNC};
    i.symbols[2] =
        (Elf64_Sym){.st_name = 7, .st_value = 0x1100, .st_size = 0x20, .st_shndx = 1, .st_info = STT_FUNC};
    i.symbols[3] = (Elf64_Sym){.st_name = 15, .st_value = 0x1050, .st_shndx = SHN_UNDEF};
    return i;
}

static struct symbols s;

static const char *find(const struct image *i, size_t size, uint64_t addr, uint64_t *offset)
{
    static char name[64];
    int fd = memfd_create("kernel", 0);

    assert_int_equal(write(fd, i, size), size);
    symbols_load(&s, fd);
    const char *found = symbols_find(&s, addr, offset);
    if (found) {
        strncpy(name, found, sizeof name - 1);
        found = name;
    }
    symbols_free(&s);
    close(fd);
    return found;
}

static void the_symbol_before_an_address_is_found(void **state)
{
    (void)state;
    struct image i = good_image();
    uint64_t offset;

    assert_string_equal(find(&i, sizeof i, 0x1000, &offset), "kmain");
    assert_int_equal(offset, 0);
    assert_string_equal(find(&i, sizeof i, 0x1111, &offset), "recurse");
    assert_int_equal(offset, 0x11);
    assert_string_equal(find(&i, sizeof i, 0x1060, &offset), "kmain"); /* an undefined symbol is none */
}

static void addresses_without_a_symbol_have_no_name(void **state)
{
    (void)state;
    struct image i = good_image();
    uint64_t offset;

    assert_null(find(&i, sizeof i, 0xfff, &offset));
    assert_null(find(&i, sizeof i, 0x40000000, &offset)); /* too far to mean anything */
}

static void files_without_symbols_give_none(void **state)
{
    (void)state;
    uint64_t offset;

    symbols_load(&s, -1);
    assert_null(symbols_find(&s, 0x1000, &offset));
    symbols_free(&s);
}

#define CHANGES(X)                                                                                           \
    X(i.header.e_shoff = ~0ull)                                                                              \
    X(i.header.e_shoff = 1ull << 63)                                                                         \
    X(i.header.e_shnum = 0xffff; i.sections[1].sh_type = 0)                                                  \
    X(i.header.e_shnum = 1)                                                                                  \
    X(i.header.e_shentsize = 1)                                                                              \
    X(i.header.e_ident[0] = 0)                                                                               \
    X(i.header.e_ident[EI_CLASS] = ELFCLASS32)                                                               \
    X(i.sections[1].sh_offset = ~0ull)                                                                       \
    X(i.sections[1].sh_size = ~0ull)                                                                         \
    X(i.sections[1].sh_size = 1ull << 40)                                                                    \
    X(i.sections[1].sh_size = 23)                                                                            \
    X(i.sections[1].sh_link = 9)                                                                             \
    X(i.sections[1].sh_link = 0xffffffff)                                                                    \
    X(i.sections[1].sh_link = 1)                                                                             \
    X(i.sections[2].sh_size = ~0ull)                                                                         \
    X(i.sections[2].sh_offset = 1ull << 62)                                                                  \
    X(i.sections[2].sh_size = 0)                                                                             \
    X(i.symbols[1].st_name = i.symbols[2].st_name = 0xffffffff)

static void files_that_lie_give_no_names(void **state)
{
    (void)state;
    uint64_t offset;

#define TRY(change)                                                                                          \
    {                                                                                                        \
        struct image i = good_image();                                                                       \
        change;                                                                                              \
        assert_null(find(&i, sizeof i, 0x1111, &offset));                                                    \
    }
    CHANGES(TRY)
    struct image i = good_image();
    for (size_t size = 0; size < sizeof i; size += 7)
        assert_null(find(&i, size, 0x1111, &offset));
}

/* Each says that its names are the last section, of a megabyte, and that its symbols are far beyond the file.
 */
static void many_tables_that_lie_cost_no_more_than_one(void **state)
{
    enum { TABLES = 1000 };
    struct image i = good_image();
    int fd = memfd_create("kernel", 0);

    (void)state;
    i.header.e_shoff = MiB;
    i.header.e_shnum = TABLES + 1;
    i.sections[1].sh_link = TABLES;
    i.sections[1].sh_offset = 1ull << 40;
    i.sections[2].sh_offset = 0;
    i.sections[2].sh_size = MiB;
    assert_int_equal(write(fd, &i.header, sizeof i.header), sizeof i.header);
    for (unsigned n = 0; n <= TABLES; n++)
        assert_int_equal(pwrite(fd, &i.sections[n < TABLES ? 1 : 2], sizeof *i.sections,
                                (off_t)(MiB + n * sizeof *i.sections)),
                         sizeof *i.sections);
    bytes_read = 0;
    symbols_load(&s, fd);
    assert_null(s.table);
    assert_in_range(bytes_read, MiB, 2 * MiB);
    close(fd);
}

static void names_without_an_end_are_ended(void **state)
{
    (void)state;
    struct image i = good_image();
    uint64_t offset;

    memset(i.names + 7, 'x', sizeof i.names - 7);
    assert_int_equal(strlen(find(&i, sizeof i, 0x1111, &offset)), sizeof i.names - 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_symbol_before_an_address_is_found),
        cmocka_unit_test(addresses_without_a_symbol_have_no_name),
        cmocka_unit_test(files_without_symbols_give_none),
        cmocka_unit_test(files_that_lie_give_no_names),
        cmocka_unit_test(many_tables_that_lie_cost_no_more_than_one),
        cmocka_unit_test(names_without_an_end_are_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
