/* FAT: the table of clusters: what follows what, what is free. */
#include "errno.h"
#include "fat.h"
#include "heap.h"
#include "printk.h"
#include "string.h"

#define PIECE 3072 /* bytes of the table at a time: whole entries of any width */

static uint32_t end_mark(const struct fat *fat)
{
    return fat->bits == 12 ? 0xff8 : fat->bits == 16 ? 0xfff8 : 0x0ffffff8;
}

/* Make the special values the same for all widths. */
static uint32_t normal(const struct fat *fat, uint32_t value)
{
    uint32_t end = end_mark(fat);

    return value >= end ? FAT_END : value == end - 1 ? FAT_BAD : value;
}

/* Entry number `index` of a table, or of a piece that begins with an even entry. */
static uint32_t decode(const struct fat *fat, const uint8_t *table, uint32_t index)
{
    uint16_t half;
    uint32_t word;

    if (fat->bits == 32) {
        memcpy(&word, table + index * 4ul, 4);
        return normal(fat, word & 0x0fffffff);
    }
    memcpy(&half, table + (fat->bits == 16 ? index * 2ul : index * 3ul / 2), 2);
    if (fat->bits == 16)
        return normal(fat, half);
    return normal(fat, index % 2 ? half >> 4 : half & 0xfff);
}

static uint64_t place_of(const struct fat *fat, uint32_t cluster)
{
    return fat->table + (fat->bits == 12 ? cluster * 3ul / 2 : cluster * (uint64_t)(fat->bits / 8));
}

static unsigned width_of(const struct fat *fat)
{
    return fat->bits == 32 ? 4 : 2;
}

int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
    uint8_t bytes[4];
    int error = cache_read(fat->device, place_of(fat, cluster), bytes, width_of(fat));

    if (error)
        return error;
    if (fat->bits == 12 && cluster % 2) { /* an odd entry begins in the middle of a byte */
        *value = normal(fat, (bytes[0] | bytes[1] << 8) >> 4);
        return 0;
    }
    *value = decode(fat, bytes, 0);
    return 0;
}

/* The new bytes of an entry: what they share with neighbours, or is reserved, stays. */
static void encode(const struct fat *fat, uint32_t cluster, uint32_t value, uint8_t *bytes)
{
    uint32_t word = 0;

    memcpy(&word, bytes, width_of(fat));
    if (fat->bits == 32)
        word = (word & 0xf0000000) | (value & 0x0fffffff);
    else if (fat->bits == 16)
        word = value & 0xffff;
    else if (cluster % 2)
        word = (word & 0x000f) | (value & 0xfff) << 4;
    else
        word = (word & 0xf000) | (value & 0xfff);
    memcpy(bytes, &word, width_of(fat));
}

int fat_set(struct fat *fat, uint32_t cluster, uint32_t value)
{
    uint64_t place = place_of(fat, cluster);
    uint8_t bytes[4];
    int error = cache_read(fat->device, place, bytes, width_of(fat));

    encode(fat, cluster, value, bytes);
    for (unsigned copy = 0; copy < fat->copies && error == 0; copy++)
        error = cache_write(fat->device, place + copy * fat->table_bytes, bytes, width_of(fat), CACHE_EARLY);
    return error;
}

static bool bit(const uint8_t *map, uint32_t n)
{
    return map[n / 8] >> n % 8 & 1;
}

static void set_bit(uint8_t *map, uint32_t n)
{
    map[n / 8] |= 1 << n % 8;
}

/* One entry of the table, while it is read at mount. `pointed` has the clusters that some entry names.
 * Returns false if this one is named by a second entry: chains meet, or go in a circle. */
static bool note_entry(struct fat *fat, uint8_t *pointed, uint32_t cluster, uint32_t value)
{
    if (value != FAT_FREE)
        set_bit(fat->used, cluster);
    if (value == FAT_FREE || !fat_valid(fat, value))
        return true;
    bool first = !bit(pointed, value) && value != cluster;
    set_bit(pointed, value);
    return first;
}

static int scan_pieces(struct fat *fat, uint8_t *pointed, uint8_t *piece)
{
    uint32_t entries = PIECE * 8 / fat->bits, crossed = 0;
    struct read_ahead ahead = {0};

    for (uint32_t first = 0; first < fat->clusters + 2; first += entries) {
        uint64_t place = place_of(fat, first), size = MIN(PIECE, fat->table + fat->table_bytes - place);
        uint64_t more = read_ahead_plan(&ahead, place - fat->table, size);
        if (more)
            cache_read_ahead(fat->device, fat->table + ahead.done - more, more);
        int error = cache_read(fat->device, place, piece, size);
        if (error)
            return error;
        for (uint32_t i = 0; i < entries && first + i < fat->clusters + 2; i++) {
            uint32_t value = decode(fat, piece, i);
            if (first + i >= 2 && !note_entry(fat, pointed, first + i, value))
                crossed = value;
        }
    }
    if (crossed)
        fat_damaged(fat, "two chains meet at cluster", crossed);
    return 0;
}

int fat_scan(struct fat *fat)
{
    size_t size = (fat->clusters + 2) / 8 + 1;
    uint8_t *pointed = kmalloc(size), *piece = kmalloc(PIECE);

    fat->used = kmalloc(size);
    fat->freed = kmalloc(size);
    int error = pointed && piece && fat->used && fat->freed ? scan_pieces(fat, pointed, piece) : -ENOMEM;
    for (uint32_t cluster = 2; error == 0 && cluster < fat->clusters + 2; cluster++) {
        if (bit(pointed, cluster)) /* free, but named: by a chain that a crash left unfinished */
            set_bit(fat->used, cluster);
        fat->free += !bit(fat->used, cluster);
    }
    fat->next = 2;
    kfree(pointed);
    kfree(piece);
    return error;
}

/* The first free cluster from `from` to the end of the table, or 0. */
static uint32_t find_free(const struct fat *fat, uint32_t from, uint32_t end)
{
    while (from < end) {
        if (from % 8 == 0 && fat->used[from / 8] == 0xff) {
            from += 8;
            continue;
        }
        if (!bit(fat->used, from))
            return from;
        from++;
    }
    return 0;
}

int fat_allocate(struct fat *fat, uint32_t near, uint32_t *cluster)
{
    if (fat->free == 0 && fat->pending) {
        int error = fat_commit(fat); /* what was given up comes back */
        if (error)
            return error;
    }
    if (fat->free == 0)
        return -ENOSPC;
    uint32_t from = fat_valid(fat, near) ? near : fat->next;
    uint32_t found = find_free(fat, from, fat->clusters + 2);
    if (!found)
        found = find_free(fat, 2, from);
    int error = fat_set(fat, found, FAT_END);
    if (error)
        return error;
    set_bit(fat->used, found);
    fat->free--;
    fat->next = found + 1 < fat->clusters + 2 ? found + 1 : 2;
    *cluster = found;
    return 0;
}

void fat_free_later(struct fat *fat, uint32_t last, uint32_t first)
{
    struct fat_pending *pending = kmalloc(sizeof(*pending));

    if (!pending) {
        warn("%s: no memory: clusters from %u on are not used again before the next mount\r\n",
             fat->device->name, first);
        return;
    }
    *pending = (struct fat_pending){fat->pending, last, first};
    fat->pending = pending;
}

static int cut(struct fat *fat, const struct fat_pending *pending)
{
    uint32_t value;

    if (!pending->last)
        return 0;
    int error = fat_get(fat, pending->last, &value);
    return error || value != pending->first ? error : fat_set(fat, pending->last, FAT_END);
}

/* Free one chain in the table. Its clusters are noted, and stay in use. After an error pending->first is
 * where to go on. */
static int free_chain(struct fat *fat, struct fat_pending *pending)
{
    while (fat_valid(fat, pending->first)) {
        uint32_t cluster = pending->first, next;
        int error = fat_get(fat, cluster, &next);
        if (error == 0 && next == FAT_FREE) {
            fat_damaged(fat, "a chain goes through the free cluster", cluster);
            return 0;
        }
        if (error == 0)
            error = fat_set(fat, cluster, FAT_FREE);
        if (error)
            return error;
        set_bit(fat->freed, cluster);
        pending->first = next;
    }
    return 0;
}

int fat_free_pending(struct fat *fat)
{
    while (fat->pending) {
        struct fat_pending *pending = fat->pending;
        int error = cut(fat, pending);
        if (error == 0)
            error = free_chain(fat, pending);
        if (error)
            return error;
        fat->pending = pending->next;
        kfree(pending);
    }
    return 0;
}

void fat_release_freed(struct fat *fat)
{
    for (uint32_t i = 0; i <= (fat->clusters + 2) / 8; i++) {
        fat->free += count_ones(fat->used[i] & fat->freed[i]);
        fat->used[i] &= ~fat->freed[i];
        fat->freed[i] = 0;
    }
}
