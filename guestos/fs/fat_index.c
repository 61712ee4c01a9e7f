/*
 * FAT: an index of a directory in memory: where names with a certain hash are, and which slots are free. It
 * makes a directory of thousands of files as quick as a small one. A hash table with open addressing (TAOCP 3
 * §6.4).
 */
#include "errno.h"
#include "fat.h"
#include "heap.h"
#include "string.h"

#define PLACES_FIRST 64
#define EMPTY        0xffffffff /* instead of a slot */
#define GONE         0xfffffffe

struct place {
    uint32_t hash, slot;
};

struct fat_index {
    struct place *places;
    uint32_t room, filled; /* room is a power of 2; filled counts those that are GONE too */
    uint32_t
        hints[FAT_ENTRY_SLOTS + 1]; /* below its hint, an entry of so many slots has no room in one sector */
    uint8_t used[FAT_SLOTS_MAX / 8];
};

static bool make_places(struct fat_index *index, uint32_t room)
{
    index->places = kmalloc(room * sizeof(*index->places));
    if (!index->places)
        return false;
    memset(index->places, 0xff, room * sizeof(*index->places));
    index->room = room;
    index->filled = 0;
    return true;
}

static void insert(struct fat_index *index, uint32_t hash, uint32_t slot)
{
    uint32_t at = hash & (index->room - 1);

    while (index->places[at].slot != EMPTY)
        at = (at + 1) & (index->room - 1);
    index->places[at] = (struct place){hash, slot};
    index->filled++;
}

/* Make room by forgetting the places that are GONE, and by more places only if that does not give half of
 * them: names that come and go must not make the table grow. */
static int make_room(struct fat_index *index)
{
    struct place *old = index->places;
    uint32_t room = index->room, live = 0;

    for (uint32_t i = 0; i < room; i++)
        live += old[i].slot < GONE;
    if (!make_places(index, live * 2 > room ? room * 2 : room)) {
        index->places = old;
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < room; i++)
        if (old[i].slot < GONE)
            insert(index, old[i].hash, old[i].slot);
    kfree(old);
    return 0;
}

static int add_hash(struct fat_index *index, uint32_t hash, uint32_t slot)
{
    int error = index->filled * 4 >= index->room * 3 ? make_room(index) : 0;

    if (error == 0)
        insert(index, hash, slot);
    return error;
}

static void remove_hash(struct fat_index *index, uint32_t hash, uint32_t slot)
{
    uint32_t at = hash & (index->room - 1);

    for (; index->places[at].slot != EMPTY; at = (at + 1) & (index->room - 1)) {
        if (index->places[at].hash != hash || index->places[at].slot != slot)
            continue;
        index->places[at].slot = GONE;
        return;
    }
}

/* The hashes by which the entry can be found. Returns how many: one if it has only a short name. */
static unsigned hashes_of(const struct fat_entry *entry, uint32_t hashes[2])
{
    uint16_t alias[12];
    unsigned n = 0;

    if (entry->length)
        hashes[n++] = fat_name_hash(entry->name, entry->length);
    hashes[n++] = fat_name_hash(alias, fat_name_of_short(&entry->raw, alias));
    return n;
}

void fat_index_note_slot(struct fat_index *index, uint32_t slot, bool used)
{
    if (used)
        index->used[slot / 8] |= 1 << slot % 8;
    else
        index->used[slot / 8] &= ~(1 << slot % 8);
    for (unsigned count = 0; !used && count <= FAT_ENTRY_SLOTS; count++)
        index->hints[count] = MIN(index->hints[count], slot / FAT_SECTOR_SLOTS * FAT_SECTOR_SLOTS);
}

bool fat_index_slot_free(const struct fat_index *index, uint32_t slot)
{
    return !(index->used[slot / 8] >> slot % 8 & 1);
}

static int add_entry(struct fat_index *index, const struct fat_entry *entry)
{
    uint32_t hashes[2];
    int error = 0;

    for (unsigned i = hashes_of(entry, hashes); i-- > 0 && error == 0;)
        error = add_hash(index, hashes[i], entry->slot);
    for (uint32_t i = 0; i < entry->slots; i++)
        fat_index_note_slot(index, entry->slot + i, true);
    return error;
}

void fat_index_add(struct fat_node *dir, const struct fat_entry *entry)
{
    if (add_entry(dir->index, entry) != 0)
        fat_index_free(dir);
}

void fat_index_remove(struct fat_index *index, const struct fat_entry *entry)
{
    uint32_t hashes[2];

    for (unsigned i = hashes_of(entry, hashes); i-- > 0;)
        remove_hash(index, hashes[i], entry->slot);
    for (uint32_t i = 0; i < entry->slots; i++)
        fat_index_note_slot(index, entry->slot + i, false);
}

uint32_t fat_index_next(const struct fat_index *index, uint32_t hash, uint32_t *at)
{
    for (; *at < index->room; ++*at) {
        const struct place *place = &index->places[(hash + *at) & (index->room - 1)];
        if (place->slot == EMPTY)
            break;
        if (place->hash == hash && place->slot != GONE) {
            ++*at;
            return place->slot;
        }
    }
    return FAT_SLOTS_MAX;
}

/* The first of `count` free slots in order from `from` on; with `whole`, all in one sector. */
static uint32_t find_run(const struct fat_index *index, uint32_t from, uint32_t count, uint32_t limit,
                         bool whole)
{
    uint32_t run = 0;

    for (uint32_t slot = from; slot < limit; slot++) {
        if (whole && slot % FAT_SECTOR_SLOTS == 0)
            run = 0;
        run = fat_index_slot_free(index, slot) ? run + 1 : 0;
        if (run == count)
            return slot + 1 - count;
    }
    return FAT_SLOTS_MAX;
}

uint32_t fat_index_find_free(struct fat_index *index, uint32_t count, uint32_t limit)
{
    if (count > FAT_SECTOR_SLOTS)
        return find_run(index, 0, count, limit, false);
    uint32_t found = find_run(index, index->hints[count], count, limit, true);
    index->hints[count] = MIN(found, limit / FAT_SECTOR_SLOTS * FAT_SECTOR_SLOTS);
    return found;
}

uint32_t fat_index_find_split(const struct fat_index *index, uint32_t count, uint32_t limit)
{
    return find_run(index, 0, count, limit, false);
}

static int fill(struct fat_node *dir, struct fat_index *index)
{
    struct fat_cursor cursor = {.dir = dir, .loaded = FAT_SLOTS_MAX, .filling = index};
    struct fat_entry entry;
    int found;

    while ((found = fat_dir_next(&cursor, &entry)) == 1) {
        int error = add_entry(index, &entry);
        if (error)
            return error;
    }
    return found;
}

int fat_index_have(struct fat_node *dir)
{
    if (dir->index)
        return 0;
    struct fat_index *index = kmalloc(sizeof(*index));
    int error = index && make_places(index, PLACES_FIRST) ? fill(dir, index) : -ENOMEM;
    dir->index = index;
    if (error)
        fat_index_free(dir);
    return error;
}

void fat_index_free(struct fat_node *dir)
{
    if (dir->index)
        kfree(dir->index->places);
    kfree(dir->index);
    dir->index = NULL;
}
