/* FAT: writing directories: adding, removing and replacing entries. What is written here is late. */
#include "errno.h"
#include "fat.h"
#include "string.h"

#define ALIAS_TRIES 2000

/* Is the name free here? Returns 0 if it is, -EEXIST, or another -errno. */
static int check_free(struct fat_node *dir, const uint16_t *name, unsigned length)
{
    struct fat_entry found;
    int error = fat_dir_find(dir, name, length, &found);

    return error == 0 ? -EEXIST : error == -ENOENT ? 0 : error;
}

/* Choose an alias that no other name in the directory is or has. */
static int choose_alias(struct fat_node *dir, const struct fat_new_entry *entry, struct fat_short *raw)
{
    uint16_t alias[12];

    raw->case_bits = 0;
    for (unsigned number = 1; number < ALIAS_TRIES; number++) {
        fat_name_alias(entry->name, entry->length, number, raw->name);
        int error = check_free(dir, alias, fat_name_of_short(raw, alias));
        if (error != -EEXIST)
            return error;
    }
    return -ENOSPC;
}

/* The number-th part of the name, from 1, with a zero and then ones behind the end of the name. */
static struct fat_long make_part(const struct fat_new_entry *entry, unsigned number, uint8_t checksum)
{
    struct fat_long part = {.order = number, .attributes = FAT_LONG_NAME, .checksum = checksum};
    uint16_t text[FAT_PART_LENGTH];

    for (unsigned i = 0; i < FAT_PART_LENGTH; i++) {
        unsigned at = (number - 1) * FAT_PART_LENGTH + i;
        text[i] = at < entry->length ? entry->name[at] : at == entry->length ? 0 : 0xffff;
    }
    memcpy(part.name1, text, sizeof(part.name1));
    memcpy(part.name2, text + 5, sizeof(part.name2));
    memcpy(part.name3, text + 11, sizeof(part.name3));
    return part;
}

int fat_entry_prepare(struct fat_node *dir, const char *name, struct fat_new_entry *entry)
{
    struct fat_short raw = {0};
    int length = fat_name_parse(name, entry->name);

    if (length < 0)
        return length;
    entry->length = length;
    unsigned parts = 0;
    if (!fat_name_is_short(entry->name, length, &raw)) {
        int error = choose_alias(dir, entry, &raw);
        if (error)
            return error;
        parts = (length + FAT_PART_LENGTH - 1) / FAT_PART_LENGTH;
    }
    for (unsigned i = 0; i < parts; i++) {
        struct fat_long part = make_part(entry, parts - i, fat_name_checksum(raw.name));
        part.order |= i == 0 ? FAT_LAST_PART : 0;
        memcpy(&entry->slots[i], &part, sizeof(part));
    }
    entry->slots[parts] = raw;
    entry->count = parts + 1;
    return 0;
}

static int write_slot(struct fat_node *dir, uint32_t slot, const void *from, size_t n, uint64_t *position)
{
    int found = fat_dir_slot(dir, slot, position);

    if (found != 1)
        return found < 0 ? found : -EIO;
    return cache_write(dir->fat->device, *position, from, n, CACHE_LATE);
}

/* What fat_dir_find would read of the new entry. */
static void describe(const struct fat_new_entry *entry, uint32_t slot, uint64_t position,
                     struct fat_entry *out)
{
    out->slot = slot;
    out->slots = entry->count;
    out->position = position;
    out->raw = entry->slots[entry->count - 1];
    out->length = entry->count > 1 ? entry->length : 0;
    memcpy(out->name, entry->name, out->length * sizeof(*out->name));
}

/* One cluster more, of zeros, which are on the disk before the directory leads there. */
static int add_cluster(struct fat_node *dir, uint32_t clusters)
{
    struct fat *fat = dir->fat;
    uint32_t cluster, unused;

    if (dir->vnode == fat->mount.root && fat->bits != 32)
        return -ENOSPC;
    if ((uint64_t)(clusters + 1) * fat->cluster_size > FAT_SLOTS_MAX * FAT_SLOT)
        return -ENOSPC;
    int error = fat_chain_extend(dir, clusters + 1);
    if (error)
        return error;
    int found = fat_chain_find(dir, clusters, &cluster, &unused);
    if (found != 1)
        return found < 0 ? found : -EIO;
    uint64_t position = fat_cluster_position(fat, cluster);
    error = cache_write(fat->device, position, NULL, fat->cluster_size, CACHE_EARLY);
    return error ? error : cache_write_through(fat->device, position, fat->cluster_size);
}

/* Slots that the directory has room for now. */
static int count_slots(struct fat_node *dir, uint32_t *slots, uint32_t *clusters)
{
    uint32_t cluster, count;
    int found = 1;

    *clusters = 0;
    *slots = dir->fat->root_slots;
    if (dir->vnode == dir->fat->mount.root && dir->fat->bits != 32)
        return 0;
    while ((found = fat_chain_find(dir, *clusters, &cluster, &count)) == 1)
        *clusters += count;
    *slots = MIN(*clusters * (uint64_t)dir->fat->cluster_size / FAT_SLOT, FAT_SLOTS_MAX);
    return found;
}

static int find_room(struct fat_node *dir, uint32_t count, uint32_t *slot)
{
    uint32_t slots = 0, clusters;
    int error = fat_index_have(dir);

    while (error == 0) {
        error = count_slots(dir, &slots, &clusters);
        if (error)
            break;
        *slot = fat_index_find_free(dir->index, count, slots);
        if (*slot != FAT_SLOTS_MAX)
            return 0;
        error = add_cluster(dir, clusters);
    }
    if (error == -ENOSPC) {
        *slot = fat_index_find_split(dir->index, count, slots);
        error = *slot == FAT_SLOTS_MAX ? error : 0;
    }
    return error;
}

/* A zero ends the directory: behind the last entry there must be one, unless the slots end there. */
static int keep_end(struct fat_node *dir, uint32_t slot)
{
    uint64_t position;
    uint8_t first;
    int found = fat_dir_slot(dir, slot, &position);

    if (found != 1)
        return found;
    int error = cache_read(dir->fat->device, position, &first, 1);
    if (error || first == 0 || first == FAT_DELETED || !fat_index_slot_free(dir->index, slot))
        return error;
    return cache_write(dir->fat->device, position, NULL, FAT_SLOT, CACHE_LATE);
}

/* Free slots before a new entry must not be zeros any more, for the directory ends at the first of these. */
static int bridge_gap(struct fat_node *dir, uint32_t slot)
{
    static const uint8_t deleted = FAT_DELETED;
    uint64_t position;
    uint8_t first;

    while (slot-- > 0 && fat_index_slot_free(dir->index, slot)) {
        int found = fat_dir_slot(dir, slot, &position);
        int error = found == 1 ? cache_read(dir->fat->device, position, &first, 1) : MIN(found, 0);
        if (error || first == FAT_DELETED)
            return error;
        error = cache_write(dir->fat->device, position, &deleted, 1, CACHE_LATE);
        if (error)
            return error;
    }
    return 0;
}

int fat_entry_add(struct fat_node *dir, struct fat_new_entry *entry, struct fat_entry *placed)
{
    uint64_t position = 0;
    uint32_t slot;
    int error = find_room(dir, entry->count, &slot);

    if (error == 0)
        error = keep_end(dir, slot + entry->count);
    if (error == 0)
        error = bridge_gap(dir, slot);
    for (unsigned i = 0; i < entry->count && error == 0; i++)
        error = write_slot(dir, slot + i, &entry->slots[i], FAT_SLOT, &position);
    if (error)
        return error;
    describe(entry, slot, position, placed);
    fat_index_add(dir, placed);
    return 0;
}

/* The node's entry, read again. */
static int read_entry(struct fat_node *dir, const struct fat_node *node, struct fat_entry *entry)
{
    struct fat_cursor cursor = {.dir = dir, .slot = node->slot, .loaded = FAT_SLOTS_MAX};
    int found = fat_dir_next(&cursor, entry);

    if (found < 0)
        return found;
    return found && entry->position == node->entry ? 0 : -EIO;
}

int fat_entry_remove(struct fat_node *dir, struct fat_node *node)
{
    static const uint8_t deleted = FAT_DELETED;
    struct fat_entry entry;
    uint64_t position;
    int error = fat_index_have(dir);

    if (error == 0)
        error = read_entry(dir, node, &entry);
    for (uint32_t i = entry.slots; error == 0 && i-- > 0;)
        error = write_slot(dir, entry.slot + i, &deleted, 1, &position);
    if (error == 0)
        fat_index_remove(dir->index, &entry);
    return error;
}

int fat_entry_replace(struct fat_node *dir, struct fat_node *node, struct fat_new_entry *entry)
{
    struct fat_short slots[FAT_SECTOR_SLOTS];
    struct fat_entry old, new;
    uint32_t first = node->slot, room = node->slots, position_in = first % FAT_SECTOR_SLOTS;
    uint64_t position;
    int error = fat_index_have(dir);

    if (position_in + room > FAT_SECTOR_SLOTS || position_in + entry->count > FAT_SECTOR_SLOTS)
        return error;
    for (; room < entry->count; room++)
        if (error || !fat_index_slot_free(dir->index, first + room))
            return error;
    if (error == 0)
        error = keep_end(dir, first + room);
    if (error == 0)
        error = read_entry(dir, node, &old);
    if (error)
        return error;
    memset(slots, 0, sizeof(slots));
    for (uint32_t i = 0; i < room; i++)
        slots[i].name[0] = FAT_DELETED;
    memcpy(slots, entry->slots, entry->count * FAT_SLOT);
    error = write_slot(dir, first, slots, room * FAT_SLOT, &position);
    if (error)
        return error;
    describe(entry, first, position + (entry->count - 1) * FAT_SLOT, &new);
    fat_index_remove(dir->index, &old);
    fat_index_add(dir, &new);
    fat_node_move(node, new.position, new.slot, new.slots);
    return 1;
}

int fat_entry_make_directory(struct fat *fat, uint32_t cluster, uint32_t parent, int64_t now)
{
    struct fat_short slots[2] = {{.name = ".          "}, {.name = "..         "}};
    uint64_t position = fat_cluster_position(fat, cluster);
    uint32_t start[2] = {cluster, parent};

    for (unsigned i = 0; i < 2; i++) {
        slots[i].attributes = FAT_DIRECTORY;
        slots[i].start_high = start[i] >> 16;
        slots[i].start_low = start[i];
        fat_time_from_ns(now, &slots[i].write_date, &slots[i].write_time);
    }
    int error = cache_write(fat->device, position, NULL, fat->cluster_size, CACHE_EARLY);
    if (error == 0)
        error = cache_write(fat->device, position, slots, sizeof(slots), CACHE_EARLY);
    return error ? error : cache_write_through(fat->device, position, fat->cluster_size);
}
