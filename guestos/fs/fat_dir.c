/* FAT: reading directories: slots of 32 bytes, several of which make an entry when it has a long name. */
#include "errno.h"
#include "fat.h"
#include "string.h"

#define PARTS_MAX 20

int fat_dir_slot(struct fat_node *dir, uint32_t slot, uint64_t *position)
{
    struct fat *fat = dir->fat;
    uint64_t offset = (uint64_t)slot * FAT_SLOT, unused;

    if (!dir->start &&
        dir->vnode == fat->mount.root) { /* FAT12 and FAT16 have the root in a place of its own */
        *position = fat->root + offset;
        return slot < fat->root_slots;
    }
    return slot < FAT_SLOTS_MAX ? fat_map(dir, offset, position, &unused) : 0;
}

/* The slot's bytes in *out. Returns 1, 0 at the end of the directory, or -errno. */
static int load_slot(struct fat_cursor *cursor, uint32_t slot, const struct fat_short **out,
                     uint64_t *position)
{
    uint32_t first = slot / FAT_SECTOR_SLOTS * FAT_SECTOR_SLOTS;

    if (cursor->loaded != first) {
        int found = fat_dir_slot(cursor->dir, first, &cursor->position);
        if (found != 1)
            return found;
        int error =
            cache_read(cursor->dir->fat->device, cursor->position, cursor->buffer, sizeof(cursor->buffer));
        if (error)
            return error;
        cursor->loaded = first;
    }
    *out = &cursor->buffer[slot % FAT_SECTOR_SLOTS];
    *position = cursor->position + slot % FAT_SECTOR_SLOTS * FAT_SLOT;
    return 1;
}

/* What a slot is (fatgen, "FAT Directory Structure"). Hidden: ".", "..", and the volume's name. */
enum slot_kind { SLOT_END, SLOT_FREE, SLOT_NAME_PART, SLOT_HIDDEN, SLOT_FILE };

static enum slot_kind kind_of(const struct fat_short *slot)
{
    if (slot->name[0] == 0)
        return SLOT_END;
    if (slot->name[0] == FAT_DELETED)
        return SLOT_FREE;
    if ((slot->attributes & 0x3f) == FAT_LONG_NAME)
        return SLOT_NAME_PART;
    return (slot->attributes & FAT_LABEL) || slot->name[0] == '.' ? SLOT_HIDDEN : SLOT_FILE;
}

/* A long name while its parts come in, the last one first. */
struct assembly {
    unsigned parts, missing; /* parts: 0 if there is no name under way */
    uint8_t checksum;
};

static void copy_part(const struct fat_long *part, uint16_t *to)
{
    memcpy(to, part->name1, sizeof(part->name1));
    memcpy(to + 5, part->name2, sizeof(part->name2));
    memcpy(to + 11, part->name3, sizeof(part->name3));
}

static void take_part(struct assembly *name, const struct fat_long *part, struct fat_entry *entry,
                      uint32_t slot)
{
    unsigned number = part->order & 0x3f;

    if (part->order & FAT_LAST_PART) {
        *name = (struct assembly){number, number, part->checksum};
        entry->slot = slot;
        if (number < 1 || number > PARTS_MAX)
            name->parts = 0;
    } else if (name->missing != number || name->checksum != part->checksum || number == 0) {
        name->parts = 0; /* a part of some other name */
    }
    if (name->parts == 0)
        return;
    name->missing = number - 1;
    copy_part(part, entry->name + (number - 1) * FAT_PART_LENGTH);
}

/* How long the name is: up to a zero, if there is one in the last part. */
static unsigned assembled_length(const struct assembly *name, const uint16_t *text)
{
    unsigned n = (name->parts - 1) * FAT_PART_LENGTH;

    while (n < name->parts * FAT_PART_LENGTH && text[n] != 0)
        n++;
    return MIN(n, FAT_NAME_MAX);
}

/* The short entry itself: what came before may be its long name. */
static void finish_entry(struct assembly *name, struct fat_entry *entry, const struct fat_short *raw,
                         uint32_t slot, uint64_t position)
{
    bool has_name = name->parts && name->missing == 0 && name->checksum == fat_name_checksum(raw->name);

    entry->raw = *raw;
    entry->position = position;
    entry->length = has_name ? assembled_length(name, entry->name) : 0;
    if (!entry->length)
        entry->slot = slot;
    entry->slots = slot - entry->slot + 1;
}

/* All slots that a directory can have were seen. Returns 0, or an error if it still goes on. */
static int check_end(struct fat_node *dir)
{
    uint32_t cluster, unused;
    int found = fat_chain_find(dir, FAT_SLOTS_MAX * FAT_SLOT / dir->fat->cluster_size, &cluster, &unused);

    return found == 1 ? fat_damaged(dir->fat, "a directory goes on for ever, at cluster", cluster) : found;
}

int fat_dir_next(struct fat_cursor *cursor, struct fat_entry *entry)
{
    struct assembly name = {0};
    const struct fat_short *raw = NULL;
    uint64_t position = 0;

    for (; cursor->slot < FAT_SLOTS_MAX; cursor->slot++) {
        int found = load_slot(cursor, cursor->slot, &raw, &position);
        enum slot_kind kind = found == 1 ? kind_of(raw) : SLOT_END;
        if (kind == SLOT_END)
            return MIN(found, 0);
        if (kind != SLOT_FREE && cursor->filling)
            fat_index_note_slot(cursor->filling, cursor->slot, true);
        if (kind == SLOT_FILE) {
            finish_entry(&name, entry, raw, cursor->slot++, position);
            return 1;
        }
        if (kind == SLOT_NAME_PART)
            take_part(&name, (const struct fat_long *)raw, entry, cursor->slot);
        else
            name.parts = 0;
    }
    return check_end(cursor->dir);
}

/* Does the name stand for this entry, by its long or its short name? */
static bool entry_is(const struct fat_entry *entry, const uint16_t *name, unsigned length)
{
    uint16_t alias[12];

    if (fat_names_equal(entry->name, entry->length, name, length))
        return true;
    return fat_names_equal(alias, fat_name_of_short(&entry->raw, alias), name, length);
}

int fat_dir_find(struct fat_node *dir, const uint16_t *name, unsigned length, struct fat_entry *entry)
{
    int error = fat_index_have(dir);
    uint32_t hash = fat_name_hash(name, length), at = 0, slot;

    if (error)
        return error;
    while ((slot = fat_index_next(dir->index, hash, &at)) != FAT_SLOTS_MAX) {
        struct fat_cursor cursor = {.dir = dir, .slot = slot, .loaded = FAT_SLOTS_MAX};
        int found = fat_dir_next(&cursor, entry);
        if (found < 0)
            return found;
        if (found && entry->slot == slot && entry_is(entry, name, length))
            return 0;
    }
    return -ENOENT;
}

int fat_dir_empty(struct fat_node *dir)
{
    struct fat_cursor cursor = {.dir = dir, .loaded = FAT_SLOTS_MAX};
    struct fat_entry entry;
    int found = fat_dir_next(&cursor, &entry);

    return found < 0 ? found : !found;
}
