/* The cpio reader of Moss: good archives give their files, damaged ones -EINVAL, and no byte outside is ever
 * read. */
/* sources: guestos/fs/cpio.c tests/unit/moss_host.c */
#include <errno.h>
#include "tests/unit/moss_host.h"
#include "guestos/include/cpio.h"

#define HEADER    110
#define MODE_AT   14 /* where in a header the digits of a field begin */
#define SIZE_AT   54
#define NAME_AT   94
#define MUTATIONS 10000

static char built[1024];
static size_t built_size;

static void pad(void)
{
    while (built_size % 4)
        built[built_size++] = 0;
}

static void add(const char *name, unsigned mode, const char *data)
{
    char header[HEADER + 1];

    snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0,
             0, 1, 0x5f000000, (unsigned)strlen(data), 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
    memcpy(built + built_size, header, HEADER);
    built_size += HEADER;
    memcpy(built + built_size, name, strlen(name) + 1);
    built_size += strlen(name) + 1;
    pad();
    memcpy(built + built_size, data, strlen(data));
    built_size += strlen(data);
    pad();
}

static int build(void **state)
{
    (void)state;
    built_size = 0;
    add("bin/sh", 0100755, "#!");
    add("empty", 0100644, "");
    add("etc", 040755, "");
    add("etc/motd", 0100644, "Welcome.");
    add("TRAILER!!!", 0, "");
    return 0;
}

/* Read a whole archive. Returns the last result; *count entries came before it. Touches every byte that it is
 * given. */
static int read_all(const char *archive, size_t size, unsigned *count)
{
    struct cpio_entry entry;
    size_t offset = 0, before;
    unsigned sum = 0;
    int result;

    for (*count = 0;; ++*count) {
        before = offset;
        result = cpio_next(archive, size, &offset, &entry);
        if (result != 1)
            break;
        assert_true(offset > before);
        assert_true(offset <= size + 3);
        for (size_t i = 0; i < entry.size; i++)
            sum += (unsigned char)entry.data[i];
        sum += (unsigned)strlen(entry.name);
    }
    (void)*(volatile unsigned *)&sum;
    return result;
}

/* The same with a copy of exactly this size on the heap, so that a read beyond it is noticed. */
static int read_copy(const char *archive, size_t size, unsigned *count)
{
    char *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, archive, size);
    int result = read_all(copy, size, count);
    free(copy);
    return result;
}

static void expect_refused(void)
{
    unsigned count;

    assert_int_equal(read_copy(built, built_size, &count), -EINVAL);
    assert_int_equal(count, 0); /* the damage is always in the first entry */
}

/* Write a field of the first header. */
static void set_field(unsigned at, const char *digits)
{
    memcpy(built + at, digits, 8);
}

static void entries_come_in_order(void **state)
{
    static const struct {
        const char *name, *data;
        unsigned mode;
    } expected[] = {{"bin/sh", "#!", 0100755},
                    {"empty", "", 0100644},
                    {"etc", "", 040755},
                    {"etc/motd", "Welcome.", 0100644}};
    struct cpio_entry entry;
    size_t offset = 0;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(cpio_next(built, built_size, &offset, &entry), 1);
        assert_string_equal(entry.name, expected[i].name);
        assert_int_equal(entry.mode, expected[i].mode);
        assert_int_equal(entry.mtime, 0x5f000000);
        assert_int_equal(entry.size, strlen(expected[i].data));
        assert_memory_equal(entry.data, expected[i].data, entry.size);
        assert_int_equal(offset % 4, 0);
    }
    assert_int_equal(cpio_next(built, built_size, &offset, &entry), 0);
    assert_int_equal(offset, built_size);
}

static void bytes_behind_the_end_are_ignored(void **state)
{
    unsigned count;

    (void)state;
    memset(built + built_size, 'x', 100);
    assert_int_equal(read_copy(built, built_size + 100, &count), 0);
    assert_int_equal(count, 4);
}

static void digits_may_be_small_or_large(void **state)
{
    struct cpio_entry entry;
    size_t offset = 0;

    (void)state;
    set_field(MODE_AT, "aBcDeF09");
    assert_int_equal(cpio_next(built, built_size, &offset, &entry), 1);
    assert_int_equal(entry.mode, 0xabcdef09);
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    unsigned count;

    (void)state;
    for (size_t size = 0; size < built_size; size++) {
        int result = read_copy(built, size, &count);
        if (size < built_size - 1) /* the last byte is padding behind the trailer's name */
            assert_int_equal(result, -EINVAL);
    }
}

static void an_archive_without_a_trailer_ends_in_an_error(void **state)
{
    unsigned count;

    (void)state;
    built_size = 0;
    add("only", 0100644, "x");
    assert_int_equal(read_copy(built, built_size, &count), -EINVAL);
    assert_int_equal(count, 1);
}

static void another_magic_is_refused(void **state)
{
    (void)state;
    memcpy(built, "070702", 6); /* newc with checksums: not what Linux's initrd documentation calls newc */
    expect_refused();
    memcpy(built, "070707", 6); /* the old format */
    expect_refused();
}

static void digits_that_are_none_are_refused_in_every_field(void **state)
{
    static const char wrong[] = {'g', 'G', ' ', '-', '/', ':', '@', '`', 0, (char)0xb0};

    (void)state;
    for (unsigned at = 6; at < HEADER; at++) {
        char good = built[at];
        for (unsigned i = 0; i < sizeof wrong; i++) {
            built[at] = wrong[i];
            expect_refused();
        }
        built[at] = good;
    }
}

static void a_name_without_a_zero_is_refused(void **state)
{
    (void)state;
    built[HEADER + 6] = 'x';
    expect_refused();
}

static void a_name_of_no_bytes_is_refused(void **state)
{
    (void)state;
    set_field(NAME_AT, "00000000");
    expect_refused();
}

static void sizes_that_wrap_or_leave_the_archive_are_refused(void **state)
{
    static const char *const sizes[] = {"ffffffff", "fffffffe", "fffffffc",
                                        "80000000", "7fffffff", "00000400"};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        build(state);
        set_field(SIZE_AT, sizes[i]);
        expect_refused();
        build(state);
        set_field(NAME_AT, sizes[i]);
        expect_refused();
    }
}

static void an_offset_outside_is_refused(void **state)
{
    static const size_t offsets[] = {1024, SIZE_MAX, SIZE_MAX - 3, SIZE_MAX - HEADER};
    struct cpio_entry entry;

    (void)state;
    for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        size_t offset = offsets[i];
        assert_int_equal(cpio_next(built, built_size, &offset, &entry), -EINVAL);
        assert_int_equal(offset, offsets[i]);
    }
}

static void random_damage_does_no_harm(void **state)
{
    unsigned count;

    for (unsigned i = 0; i < MUTATIONS; i++) {
        build(state);
        for (unsigned n = 1 + moss_random() % 8; n > 0; n--) {
            unsigned at = moss_random() % (unsigned)built_size;
            built[at] = moss_random() % 2 ? "0123456789abcdef"[moss_random() % 16] : (char)moss_random();
        }
        int result = read_copy(built, moss_random() % 4 ? built_size : moss_random() % built_size, &count);
        assert_true(result == 0 || result == -EINVAL);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, build)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_come_in_order),
        TEST(bytes_behind_the_end_are_ignored),
        TEST(digits_may_be_small_or_large),
        TEST(an_archive_cut_anywhere_is_refused),
        TEST(an_archive_without_a_trailer_ends_in_an_error),
        TEST(another_magic_is_refused),
        TEST(digits_that_are_none_are_refused_in_every_field),
        TEST(a_name_without_a_zero_is_refused),
        TEST(a_name_of_no_bytes_is_refused),
        TEST(sizes_that_wrap_or_leave_the_archive_are_refused),
        TEST(an_offset_outside_is_refused),
        TEST(random_damage_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
