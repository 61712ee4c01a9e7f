/* Moss's FAT, bit by bit: entries of the table, chains, free clusters, the slots of directories. */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include "tests/unit/moss_disk.h"
#include "expect.h"
#include "guestos/include/fat.h"

#define MIB      1048576ul
#define CLUSTERS 400
#define TABLE    512
#define DATA     8192

static struct disk *disk;
static struct fat fat; /* a volume made by hand: its table and its clusters lie on the disk */
static struct fat_node node;
static uint8_t used[CLUSTERS / 8 + 8], freed[CLUSTERS / 8 + 8];

/* A file whose chain begins there; nothing is known of it yet. */
static void new_file(uint32_t start)
{
    free(node.runs);
    node = (struct fat_node){.fat = &fat, .start = start};
}

static void volume(unsigned bits)
{
    fat = (struct fat){.device = &disk->device,
                       .bits = bits,
                       .cluster_size = 1024,
                       .clusters = CLUSTERS,
                       .copies = 2,
                       .table = TABLE,
                       .table_bytes = 2048,
                       .data = DATA,
                       .used = used,
                       .freed = freed,
                       .free = CLUSTERS,
                       .next = 2};
    new_file(0);
    memset(used, 0, sizeof used);
}

static int set_up(void **state)
{
    (void)state;
    *disk_warnings = 0;
    disk = disk_create(2 * MIB);
    volume(16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    new_file(0);
    disk_destroy(disk);
    return 0;
}

/* Bytes of both copies of the table, from `at` on; before anything is read through the cache. */
static void table(unsigned at, const void *bytes, size_t n)
{
    disk_poke(disk, TABLE + at, bytes, n);
    disk_poke(disk, TABLE + 2048 + at, bytes, n);
}

static uint32_t get(uint32_t cluster)
{
    uint32_t value = 0xdddddddd;

    expect_number((uint64_t)fat_get(&fat, cluster, &value), 0,
                  "fat_get() reads an entry that is there: it returns 0.");
    return value;
}

static void entries_of_16_and_32_bits_are_read(void **state)
{
    static const uint16_t entries16[] = {0xfff8, 0xffff, 3, 0x1234, 0xfff7, 0xfff8};
    static const uint32_t entries32[] = {0x0ffffff8, 0x0fffffff, 3, 0xf0001234, 0x0ffffff7, 0x0ffffff8};

    (void)state;
    table(0, entries16, sizeof entries16);
    expect_number(get(2), 3,
                  "FAT16: the entry of cluster n is the 2 bytes at 2 * n of the table. Here cluster 2.");
    expect_number(get(3), 0x1234, "FAT16: cluster 3, at byte 6, low byte first.");
    expect_number(get(4), FAT_BAD, "FAT16: 0xfff7 marks a bad cluster, for which all widths have FAT_BAD.");
    expect_number(get(5), FAT_END,
                  "FAT16: anything from 0xfff8 on ends a chain, for which all widths have FAT_END.");
    cache_drop(&disk->device);
    volume(32);
    table(0, entries32, sizeof entries32);
    expect_number(get(2), 3,
                  "FAT32: the entry of cluster n is the 4 bytes at 4 * n of the table. Here cluster 2.");
    expect_number(
        get(3), 0x1234,
        "FAT32: the entry says 0xf0001234. Only 28 bits are the number; the upper 4 are reserved (fatgen, "
        "\"FAT32 FAT entry\").");
    expect_number(get(4), FAT_BAD, "FAT32: a bad cluster.");
    expect_number(get(5), FAT_END, "FAT32: 0x0ffffff8 ends a chain.");
}

static void entries_of_12_bits_are_read(void **state)
{
    static const uint8_t start[] = {0xf8, 0xff, 0xff, 0x23, 0x61, 0x45, 0xf7, 0x8f, 0xff};

    (void)state;
    volume(12);
    table(0, start, sizeof start);
    expect_number(
        get(2), 0x123,
        "FAT12: two entries share three bytes, 23 61 45 here. The even one is the first byte and the low "
        "half of the second.");
    expect_number(
        get(3), 0x456,
        "FAT12: bytes 23 61 45. The odd entry is the high half of the second byte (its low digit) and the "
        "third.");
    expect_number(get(4), FAT_BAD, "FAT12: 0xff7 marks a bad cluster.");
    expect_number(get(5), FAT_END, "FAT12: 0xff8 ends a chain.");
}

static void an_entry_may_lie_in_two_sectors(void **state)
{
    static const uint8_t edge[] = {0x89, 0xa7, 0xbc};

    (void)state;
    volume(12);
    table(510, edge, sizeof edge);
    expect_number(get(340), 0x789, "FAT12: cluster 340 has the bytes 510 and 511 of the table: 89 a7.");
    expect_number(
        get(341), 0xbca,
        "FAT12: cluster 341 has the bytes 511 and 512 of the table, a7 bc: the last of one sector and the "
        "first of the next. Who reads one sector and looks into that gets the wrong second byte.");
}

/* Both copies of the table must have these bytes. */
static void expect_table(unsigned at, const void *bytes, size_t n, const char *lesson)
{
    uint8_t got[16];

    for (unsigned copy = 0; copy < 2; copy++) {
        assert_int_equal(cache_read(&disk->device, TABLE + copy * 2048ul + at, got, n), 0);
        expect_bytes(got, bytes, n, lesson);
    }
}

static void set(uint32_t cluster, uint32_t value)
{
    expect_number((uint64_t)fat_set(&fat, cluster, value), 0,
                  "fat_set() writes an entry that is there: it returns 0.");
}

static void what_an_entry_does_not_own_stays(void **state)
{
    static const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    (void)state;
    volume(12);
    table(0, ones, sizeof ones);
    set(2, 0x123);
    expect_table(
        3, "\x23\xf1\xff", 3,
        "FAT12: the even entry 2 became 0x123. Of the bytes 23 f1 ff, the f and the ff are its neighbour's.");
    set(3, 0x456);
    expect_table(3, "\x23\x61\x45", 3,
                 "FAT12: the odd entry 3 became 0x456. The 1 in the middle byte is still entry 2's.");
    volume(32);
    fat.table = 4096; /* elsewhere */
    disk_poke(disk, 4096 + 8, ones, 4);
    set(2, 0x00abcdef);
    expect_number(get(2), 0x00abcdef, "FAT32: what was written is read.");
    uint32_t word;
    assert_int_equal(cache_read(&disk->device, 4096 + 8, &word, 4), 0);
    expect_number(
        word, 0xf0abcdef,
        "FAT32: the upper 4 bits of the entry are reserved and keep their value (fatgen: \"preserve\").");
}

static void chain(const uint16_t *next, size_t n)
{
    table(4, next, n * sizeof *next);
}

static void a_position_in_a_file_leads_to_bytes_of_the_disk(void **state)
{
    static const uint16_t next[] = {0xffff, 4, 7, 0, 0, 0xffff}; /* of clusters 2, 3, 4, 5, 6, 7 */
    uint64_t position = 0, bytes = 0;

    (void)state;
    chain(next, 6);
    new_file(2);
    expect_number((uint64_t)fat_map(&node, 0, &position, &bytes), 1,
                  "The file has a cluster: fat_map() returns 1.");
    expect_number(
        position, DATA,
        "Cluster 2 is the first there is, and lies where the data begin: the numbers 0 and 1 have no cluster "
        "(fatgen, \"Boot Sector and BPB\", FirstSectorofCluster).");
    expect_number(bytes, 1024, "One cluster of 1024 bytes.");
    new_file(3); /* 3, 4, 7 */
    expect_number((uint64_t)fat_map(&node, 1500, &position, &bytes), 1,
                  "The file has 3 clusters, 3072 bytes.");
    expect_number(position, DATA + 2 * 1024 + 1500 - 1024,
                  "Byte 1500 is byte 476 of the file's second cluster, which is number 4.");
    expect_number(bytes, 1024 - 476,
                  "So many bytes follow in this cluster; the next one of the file, 7, is elsewhere.");
    expect_number((uint64_t)fat_map(&node, 100, &position, &bytes), 1, "The file has clusters 3, 4 and 7.");
    expect_number(bytes, 2048 - 100,
                  "Clusters 3 and 4 lie side by side: all their bytes can be moved at once.");
    expect_number((uint64_t)fat_map(&node, 3072, &position, &bytes), 0,
                  "The chain ends before byte 3072: return 0.");
}

static void a_chain_in_a_circle_is_noticed(void **state)
{
    static const uint16_t circle[] = {3, 4, 2, 5};
    uint32_t cluster, count;

    (void)state;
    chain(circle, 4);
    new_file(2);
    expect_number((uint64_t)fat_chain_find(&node, 2 * CLUSTERS, &cluster, &count), (uint64_t)-EUCLEAN,
                  "The chain goes 2, 3, 4, 2, 3, ... A file cannot have more clusters than the volume: when "
                  "it seems to, "
                  "return fat_damaged(). Otherwise a bad disk hangs the kernel, or fills its memory.");
    expect_contains(disk_warnings, "circle",
                    "The message should say what is wrong: fat_damaged(fat, \"a chain goes in "
                    "a circle through cluster\", ...).");
    volume(16);
    new_file(5);
    expect_number((uint64_t)fat_chain_find(&node, 2 * CLUSTERS, &cluster, &count), (uint64_t)-EUCLEAN,
                  "Cluster 5 is followed by cluster 5.");
}

static void a_chain_that_leads_nowhere_is_noticed(void **state)
{
    static const uint16_t wild[] = {3, CLUSTERS + 2, 1, 0xfff7, 0};
    uint32_t cluster, count;

    (void)state;
    chain(wild, 5);
    for (unsigned start = 3; start <= 6; start++) {
        volume(16);
        new_file(start);
        expect_number((uint64_t)fat_chain_find(&node, 1, &cluster, &count), (uint64_t)-EUCLEAN,
                      "The entry of the file's first cluster says 402 (beyond the last, 401), 1, 'bad', or "
                      "'free': none "
                      "of them can follow. Check with fat_valid() and return fat_damaged().");
    }
    volume(16);
    expect_number((uint64_t)fat_chain_find(&node, 0, &cluster, &count), 0,
                  "A file whose start is 0 has no cluster: that is an end, and no damage.");
}

static uint32_t allocate(uint32_t near)
{
    uint32_t cluster = 0;

    expect_number((uint64_t)fat_allocate(&fat, near, &cluster), 0,
                  "There are free clusters: fat_allocate() returns 0.");
    return cluster;
}

static void a_new_cluster_is_an_end_and_no_longer_free(void **state)
{
    (void)state;
    uint32_t cluster = allocate(100);
    expect_number(cluster, 100, "`near` is free, so it is taken: a file's clusters best lie side by side.");
    expect_number(get(100), FAT_END,
                  "The new cluster ends a chain: its entry must be an end mark, on the disk.");
    expect_number(fat.free, CLUSTERS - 1, "fat->free counts the free clusters (df shows it): one fewer now.");
    expect_number(allocate(100), 101, "Cluster 100 is in use, so the next free one behind it is taken.");
    expect_number(fat.free, CLUSTERS - 2, "fat->free must be two fewer by now.");
    expect_number(allocate(0), 102, "`near` is no cluster: go on where the last one was found, fat->next.");
}

static void the_last_free_clusters_are_found(void **state)
{
    uint32_t cluster = 0;

    (void)state;
    memset(used, 0xff, sizeof used);
    used[0] = 0xef; /* but for cluster 4 */
    fat.free = 1;
    expect_number(
        allocate(300), 4,
        "All from 300 to the end are in use. The search goes on from cluster 2: one is free, number 4.");
    expect_number(fat.free, 0, "That was the last one.");
    expect_number((uint64_t)fat_allocate(&fat, 0, &cluster), (uint64_t)-ENOSPC,
                  "The volume is full: -ENOSPC.");
}

static void format_disk(void)
{
    assert_int_equal(disk_run(disk, "mformat -i @ -T 4096 -h 16 -s 63 -c 1 -v LABEL ::"), 0);
}

static struct fat_short root_slot(unsigned i)
{
    uint16_t sectors;
    struct fat_short slot;

    disk_peek(disk, 22, &sectors, 2);
    disk_peek(disk, 512 + 2ul * sectors * 512 + 32ul * i, &slot, sizeof slot);
    return slot;
}

static void the_checksum_is_the_one_of_mtools(void **state)
{
    (void)state;
    format_disk();
    assert_int_equal(disk_run(disk, "mcopy -i @ - '::A name of mtools.txt' < /dev/null"), 0);
    struct fat_short part = root_slot(1),
                     entry = root_slot(3); /* behind the label: two parts, and the short entry */
    const struct fat_long *name = (const struct fat_long *)&part;
    expect_number(
        fat_name_checksum(entry.name), name->checksum,
        "mtools wrote this long name, with the checksum of its short name in each part. For each of the 11 "
        "bytes: turn the sum right by one bit (bit 0 becomes bit 7), then add the byte (fatgen, ChkSum()).");
    expect_number(
        fat_name_checksum((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0xfe,
        "The sum of eleven bytes 0xff: all arithmetic is in 8 bits, with nothing lost on the right.");
}

/* The names in the root directory, one behind the other. */
static const char *names(void)
{
    static char text[1000];

    assert_int_equal(disk_mount(disk, false), 0);
    assert_true(fs_list("/", text, sizeof text) >= 0);
    assert_int_equal(disk_unmount(), 0);
    return text;
}

static void deleted_entries_are_free_and_no_end(void **state)
{
    (void)state;
    format_disk();
    assert_int_equal(disk_run(disk, "mmd -i @ ::ONE ::TWO ::THREE"), 0);
    expect_text(names(), "ONE\nTWO\nTHREE\n",
                "Three directories; the volume's label, which lies before them, is none.");
    assert_int_equal(disk_run(disk, "mrd -i @ ::TWO"), 0);
    expect_text(names(), "ONE\nTHREE\n",
                "TWO was deleted: the first byte of its slot became 0xe5. That slot is free, and the "
                "directory goes on "
                "behind it (fatgen, DIR_Name[0]).");
    assert_int_equal(disk_run(disk, "mrd -i @ ::ONE"), 0);
    expect_text(names(), "THREE\n", "The first two slots behind the label are free now.");
}

static void the_directory_ends_at_the_first_zero(void **state)
{
    uint16_t sectors;

    (void)state;
    format_disk();
    assert_int_equal(disk_run(disk, "mcopy -i @ - ::ONE < /dev/null"), 0);
    struct fat_short slot = root_slot(1);
    memcpy(slot.name, "REST", 4);
    disk_peek(disk, 22, &sectors, 2);
    disk_poke(disk, 512 + 2ul * sectors * 512 + 32 * 3, &slot, sizeof slot); /* behind a slot of zeros */
    expect_text(
        names(), "ONE\n",
        "A slot whose first byte is 0 is the end: what lies behind it is old and means nothing (fatgen, "
        "DIR_Name[0]).");
}

static void a_long_name_is_no_file_of_its_own(void **state)
{
    (void)state;
    format_disk();
    assert_int_equal(disk_run(disk, "mcopy -i @ - '::A rather long name' < /dev/null"), 0);
    expect_text(names(), "A rather long name\n",
                "The slots with attributes 0x0f are parts of the long name of the entry behind them (fatgen, "
                "\"FAT Long Directory Entries\"); one of them is not a label, though that bit is set, too.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_of_16_and_32_bits_are_read),
        TEST(entries_of_12_bits_are_read),
        TEST(an_entry_may_lie_in_two_sectors),
        TEST(what_an_entry_does_not_own_stays),
        TEST(a_position_in_a_file_leads_to_bytes_of_the_disk),
        TEST(a_chain_in_a_circle_is_noticed),
        TEST(a_chain_that_leads_nowhere_is_noticed),
        TEST(a_new_cluster_is_an_end_and_no_longer_free),
        TEST(the_last_free_clusters_are_found),
        TEST(the_checksum_is_the_one_of_mtools),
        TEST(deleted_entries_are_free_and_no_end),
        TEST(the_directory_ends_at_the_first_zero),
        TEST(a_long_name_is_no_file_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
