/*
 * Moss's FAT: a crash at any moment. A disk records what it is told; images are made as a crash could leave
 * them: everything that a flush has covered, and of the writes since then any sectors. Whatever fsync had
 * returned for must be there, and no cluster may have two owners.
 */
/* sources: guestos/fs/fat_*.c guestos/fs/block*.c guestos/fs/vnode.c guestos/fs/path.c tests/unit/moss_*.c */
#include <unistd.h>
#include "tests/unit/moss_disk.h"

#define MIB       1048576ul
#define FILES     6
#define SIZE_MAX_ 60000
#define STEPS     300
#define CRASHES   400
#define PROMISES  2000

/* What fsync has promised of a name, from one event on until another begins to change it. */
struct promise {
    unsigned file;
    unsigned elsewhere;    /* the content may be in this file instead, while one becomes the other */
    char *content, *other; /* either may be there; other is NULL: no choice */
    size_t size, other_size;
    size_t from, until;
};

/* A file got a name in another directory between these two events: meanwhile it may have both names. */
struct move {
    size_t began, ended;
};

static struct disk *disk;
static struct move moves[STEPS];
static unsigned move_count;
static struct promise promises[PROMISES];
static unsigned promise_count;

/* What is in the files now, and whether that has been synced. */
static struct state {
    bool exists, synced;
    char content[SIZE_MAX_];
    size_t size;
} files[FILES];

static const char *name_of(unsigned file)
{
    static const char *const names[FILES] = {
        "/one.txt", "/TWO", "/sub/three", "/sub/FOUR", "/Long name five", "/sub/Long name six"};

    return names[file];
}

static char *copy_of(const char *bytes, size_t n)
{
    char *copy = malloc(n + 1);

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    return copy;
}

/* The operation that begins now may change the file: no promise holds on. */
static void end_promises(unsigned file)
{
    for (unsigned i = 0; i < promise_count; i++)
        if (promises[i].file == file && promises[i].until == SIZE_MAX)
            promises[i].until = disk->event_count;
}

static struct promise *add_promise(unsigned file)
{
    struct state *f = &files[file];
    struct promise *promise = &promises[promise_count++];

    assert_true(promise_count < PROMISES);
    *promise =
        (struct promise){.file = file, .elsewhere = file, .from = disk->event_count, .until = SIZE_MAX};
    promise->content = copy_of(f->content, f->size);
    promise->size = f->size;
    return promise;
}

static void sync_file(unsigned file)
{
    if (!files[file].exists)
        return;
    assert_int_equal(fs_sync(name_of(file)), 0);
    for (unsigned i = 0; i < FILES;
         i++) /* fsync writes everything, and that is relied on by nobody but this */
        files[i].synced |= i == file;
    end_promises(file);
    add_promise(file);
}

static void change_file(unsigned file)
{
    struct state *f = &files[file];
    size_t at = f->size ? moss_random() % (f->size + 1) : 0;
    size_t n = 1 + moss_random() % (moss_random() % 4 ? 2000 : 20000);
    static char bytes[SIZE_MAX_];
    struct vnode *node;

    end_promises(file);
    f->synced = false;
    if (!f->exists) {
        assert_int_equal(fs_put(name_of(file), "", 0), 0);
        f->exists = true;
        f->size = at = 0;
    }
    if (at + n > SIZE_MAX_)
        n = SIZE_MAX_ - at;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)moss_random();
    assert_int_equal(fs_open(name_of(file), &node), 0);
    assert_int_equal(fs_write(node, bytes, n, at), n);
    vnode_put(node);
    memcpy(f->content + at, bytes, n);
    f->size = at + n > f->size ? at + n : f->size;
}

static void truncate_file(unsigned file)
{
    struct state *f = &files[file];
    size_t size = moss_random() % 3 ? moss_random() % (f->size + 1) : 0;
    struct vnode *node;

    if (!f->exists)
        return;
    end_promises(file);
    f->synced = false;
    assert_int_equal(fs_open(name_of(file), &node), 0);
    assert_int_equal(fs_truncate(node, size), 0);
    vnode_put(node);
    f->size = size;
}

static void remove_file(unsigned file)
{
    if (!files[file].exists)
        return;
    end_promises(file);
    assert_int_equal(fs_unlink(name_of(file)), 0);
    files[file].exists = false;
}

/* As editors do it: the new version under another name, synced, then renamed over the old one. Names in one
 * directory, of entries that are as long. */
static void replace_file(unsigned file)
{
    unsigned temporary = file ^ 1;
    struct state *f = &files[file], *t = &files[temporary];

    if (file >= 4 || !f->exists || !t->exists)
        return;
    sync_file(temporary);
    bool was_synced = f->synced;
    struct state old = *f;
    end_promises(file);
    end_promises(temporary);
    size_t began = disk->event_count;
    *f = *t;
    t->exists = false;
    if (was_synced) {
        struct promise *promise = add_promise(file);
        promise->from = began;
        promise->other = copy_of(old.content, old.size);
        promise->other_size = old.size;
    }
    assert_int_equal(fs_rename(name_of(temporary), name_of(file)), 0);
    f->synced = true;
}

/* To another directory: two sectors change, one after the other. */
static void move_file(unsigned file)
{
    unsigned to = file ^ 1;
    struct state *f = &files[file], *t = &files[to];

    if (file < 4 || !f->exists)
        return;
    sync_file(file);
    sync_file(to);
    size_t began = disk->event_count;
    struct state old = *t;
    *t = *f;
    f->exists = false;
    end_promises(file);
    end_promises(to);
    struct promise *promise = add_promise(to);
    promise->from = began;
    promise->elsewhere = file;
    assert_int_equal(fs_rename(name_of(file), name_of(to)), 0);
    end_promises(to);
    promise = add_promise(to); /* without a sync */
    if (old.exists) {          /* what had the name before may be found first for a while */
        promise->from = began;
        promise->other = copy_of(old.content, old.size);
        promise->other_size = old.size;
    }
    moves[move_count++] = (struct move){began, disk->event_count};
}

static void work(void)
{
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned file = moss_random() % FILES;
        switch (moss_random() % 12) {
        case 0:
            if (moss_random() % 2)
                remove_file(file);
            else
                move_file(4 + file % 2);
            break;
        case 1:
            truncate_file(file);
            break;
        case 2:
        case 3:
        case 4:
            replace_file(file);
            break;
        case 5:
        case 6:
        case 7:
            sync_file(file);
            break;
        case 8:
            cache_write_out(&disk->device, CACHE_EARLY); /* as when the cache is short of room */
            break;
        default:
            change_file(file);
        }
    }
}

/* Any of the sectors that a write has. */
static void apply_part(struct disk *to, const struct disk_event *event)
{
    bool all = moss_random() % 2, none = !all && moss_random() % 2;

    for (uint32_t i = 0; i < event->bytes / SECTOR_SIZE; i++)
        if (all || (!none && moss_random() % 2))
            disk_poke(to, (event->sector + i) * SECTOR_SIZE, (char *)event->data + i * SECTOR_SIZE,
                      SECTOR_SIZE);
}

/* The disk as a crash before event number `crash` could leave it. */
static struct disk *crashed_disk(const char *before, uint64_t size, size_t crash)
{
    struct disk *after = disk_create(size);
    size_t flushed = crash;

    while (flushed > 0 && disk->events[flushed - 1].op != BLOCK_FLUSH)
        flushed--;
    disk_poke(after, 0, before, size);
    for (size_t i = 0; i < flushed; i++)
        if (disk->events[i].op == BLOCK_WRITE)
            disk_poke(after, disk->events[i].sector * SECTOR_SIZE, disk->events[i].data,
                      disk->events[i].bytes);
    for (size_t i = flushed; i < crash; i++)
        apply_part(after, &disk->events[i]);
    return after;
}

static bool holds(const char *path, const char *content, size_t size)
{
    static char got[SIZE_MAX_ + 1];

    return content && fs_get(path, got, sizeof got) == (ssize_t)size && memcmp(got, content, size) == 0;
}

static void check_promises(size_t crash)
{
    for (unsigned i = 0; i < promise_count; i++) {
        struct promise *p = &promises[i];
        if (p->from > crash || p->until < crash)
            continue;
        if (!holds(name_of(p->file), p->content, p->size) &&
            !holds(name_of(p->elsewhere), p->content, p->size) &&
            !holds(name_of(p->file), p->other, p->other_size))
            fail_msg("a crash at event %zu loses %s, which was synced at event %zu", crash, name_of(p->file),
                     p->from);
    }
}

static bool is_moving(size_t crash)
{
    for (unsigned i = 0; i < move_count; i++)
        if (moves[i].began < crash && crash < moves[i].ended)
            return true;
    return false;
}

/* What is left must be sound enough to go on with, and what was promised must be there. */
static void check_crash(const char *before, uint64_t size, size_t crash)
{
    struct disk *after = crashed_disk(before, size, crash);

    *disk_warnings = 0;
    assert_int_equal(disk_mount(after, false), 0);
    check_promises(crash);
    assert_int_equal(fs_put("/new file", before, 30000), 0);
    assert_true(holds("/new file", before, 30000));
    check_promises(crash);
    assert_string_equal(disk_warnings, "");
    assert_int_equal(disk_unmount(), 0);
    disk_run(after, "fsck.fat -n @");
    if (strstr(disk_output, "share clusters") && !is_moving(crash))
        fail_msg("after a crash at event %zu: %s", crash, disk_output);
    disk_destroy(after);
}

/* Files that stay, so that the others' entries are not all in one sector. */
static void spread_entries(void)
{
    char path[32];

    for (unsigned file = 0; file < FILES; file++) {
        assert_int_equal(fs_put(name_of(file), "", 0), 0);
        files[file].exists = true;
        for (unsigned i = 0; i < 16; i++) {
            snprintf(path, sizeof path, "%sPAD%u", file == 2 || file == 3 ? "/sub/" : "/", file * 100 + i);
            assert_int_equal(fs_put(path, "", 0), 0);
        }
    }
}

static void crash_often(uint64_t size, const char *options)
{
    char *before = malloc(size);

    disk = disk_create(size);
    assert_int_equal(disk_run(disk, "mformat -i @ -T %lu -h 16 -s 63 %s ::", size / SECTOR_SIZE, options), 0);
    assert_int_equal(disk_run(disk, "mmd -i @ ::sub"), 0);
    disk_peek(disk, 0, before, size);
    disk->recording = true;
    memset(files, 0, sizeof files);
    promise_count = move_count = 0;
    assert_int_equal(disk_mount(disk, false), 0);
    spread_entries();
    work();
    assert_int_equal(fs_sync("/"), 0);
    assert_int_equal(disk_unmount(), 0);
    assert_true(promise_count > STEPS / 10);
    for (unsigned i = 0; i < CRASHES; i++)
        check_crash(before, size, moss_random() % (disk->event_count + 1));
    for (unsigned i = 0; i < promise_count; i++) {
        free(promises[i].content);
        free(promises[i].other);
    }
    disk_destroy(disk);
    free(before);
}

static void fat12_survives(void **state)
{
    (void)state;
    crash_often(MIB, "-c 1");
}

static void fat16_survives(void **state)
{
    (void)state;
    crash_often(4 * MIB, "-c 1");
}

static void fat32_survives(void **state)
{
    (void)state;
    crash_often(40 * MIB, "-c 1 -F");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fat12_survives),
        cmocka_unit_test(fat16_survives),
        cmocka_unit_test(fat32_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
