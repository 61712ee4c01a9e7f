/*
 * Inside the FAT file system (Microsoft, "FAT: General Overview of On-Disk Format" 1.03, here "fatgen").
 *
 * What may be lost in a crash, and what not: the disk is written in the steps of fat_commit(), with a flush
 * between them, so that nothing on it ever refers to what is not there yet, and no cluster gets a second
 * owner while the disk still knows the first. Until the next commit
 *  - a chain's new part hangs on its old end only in memory (link_from, link_to);
 *  - a file's size and first cluster are only in its node; directory sectors are late (block_cache.h);
 *  - clusters that were given up are not used again (struct fat_pending).
 */
#ifndef FAT_H
#define FAT_H

#include "block_cache.h"
#include "vfs.h"

#define FAT_FREE 0
#define FAT_BAD  0x0ffffff7 /* as fat_get gives it, whatever the width of the table */
#define FAT_END  0x0fffffff

#define FAT_SLOT         32 /* bytes of a directory entry, or of a part of a long name */
#define FAT_SECTOR_SLOTS (SECTOR_SIZE / FAT_SLOT)
#define FAT_ENTRY_SLOTS  21    /* at most: 20 parts of a long name, and the short one */
#define FAT_SLOTS_MAX    65536 /* of a directory: 2 MiB */
#define FAT_NAME_MAX     255   /* UCS-2 characters of a long name */
#define FAT_SIZE_MAX     0xffffffffu

#define FAT_NODE_CHAINS 256
#define FAT_RECENT      32 /* directories that stay in memory, with the index of their names */

/* fatgen, "FAT Directory Structure" */
#define FAT_READ_ONLY 0x01
#define FAT_LABEL     0x08
#define FAT_DIRECTORY 0x10
#define FAT_ARCHIVE   0x20
#define FAT_LONG_NAME 0x0f

#define FAT_DELETED     0xe5 /* instead of a name's first byte */
#define FAT_LAST_PART   0x40 /* in the order byte of a long name's last part, which comes first on the disk */
#define FAT_PART_LENGTH 13   /* characters of a long name in one slot */

struct fat_short {
    uint8_t name[11], attributes, case_bits, create_hundredths;
    uint16_t create_time, create_date, access_date, start_high, write_time, write_date, start_low;
    uint32_t size;
};

struct fat_long {
    uint8_t order;
    uint16_t name1[5];
    uint8_t attributes, type, checksum;
    uint16_t name2[6], start, name3[2];
} __attribute__((packed));

/* Clusters to free when the disk does not know any more whose they were: a chain from `first` on. If `last`
 * is not 0, the chain is still a part of a longer one, and is to be cut off behind `last`. */
struct fat_pending {
    struct fat_pending *next;
    uint32_t last, first;
};

struct fat {
    struct block_device *device;
    struct block_owner owner;
    struct mount mount;
    struct mutex lock; /* guards all below, and every node but the contents of files; inside tree_lock and
                          vnode->lock */
    unsigned bits;     /* 12, 16 or 32 */
    uint32_t cluster_size, clusters; /* their numbers are 2 to clusters + 1 */
    unsigned copies;                 /* of the table */
    uint64_t table, table_bytes;     /* byte offsets on the device from here on */
    uint64_t root;                   /* of FAT12 and FAT16 */
    uint32_t root_slots, root_cluster;
    uint64_t data;
    uint64_t info;  /* the FSInfo sector; 0: none */
    uint8_t *used;  /* a bit for each cluster number */
    uint8_t *freed; /* freed in the table, but not to be used before that is on the disk */
    uint32_t free;  /* clusters */
    uint32_t next;  /* where to look for one */
    uint32_t told;  /* the free count in the FSInfo sector */
    bool damaged;   /* has been said */
    struct fat_pending *pending;
    uint32_t node_count;
    struct list nodes[FAT_NODE_CHAINS]; /* by their place on the disk; not the root, nor what was removed */
    struct list dirty;                  /* nodes to write, each with a reference */
    struct list puts;                   /* nodes with references to give back */
    bool putting;                       /* somebody is giving them back */
    struct vnode *recent[FAT_RECENT];
    unsigned recent_next;
};

/* `count` clusters that follow each other, from the index-th of the file on. */
struct fat_run {
    uint32_t index, cluster, count;
};

struct fat_index;

struct fat_node {
    struct fat *fat;
    struct vnode *vnode;
    struct list hash_link, dirty_link, put_link;
    uint32_t puts;
    uint64_t entry;       /* where its short entry is on the device; 0: the root, or it is removed */
    uint32_t slot, slots; /* its entry in the parent directory, long name included */
    uint8_t attributes;
    bool removed;
    uint32_t start;                          /* first cluster; 0: none */
    bool fresh;                              /* the disk does not know `start` yet */
    uint32_t link_from, link_to, link_index; /* the index-th cluster, link_from, is followed by link_to; 0: no
                                                such link waits */
    struct fat_run *runs;                    /* of the first `known` clusters */
    uint32_t run_count, run_room, known;
    struct read_ahead ahead;
    uint32_t errors_told;
    struct fat_index *index; /* a directory's names; made when first needed */
};

static inline struct fat *fat_of(const struct vnode *node)
{
    return ((struct fat_node *)node->data)->fat;
}

static inline struct fat_node *fat_node_of(const struct vnode *node)
{
    return node->data;
}

/* --- fat_table.c: the table of clusters --- */

static inline bool fat_valid(const struct fat *fat, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < fat->clusters;
}

static inline uint64_t fat_cluster_position(const struct fat *fat, uint32_t cluster)
{
    return fat->data + (uint64_t)(cluster - 2) * fat->cluster_size;
}

/* What follows the cluster: FAT_FREE, FAT_BAD, FAT_END or a number, which may be wild. Returns 0 or -EIO. */
int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value);
int fat_set(struct fat *fat, uint32_t cluster, uint32_t value);

/* Read the whole table: which clusters are in use. Says so if chains meet. Returns 0, -EIO or -ENOMEM. */
int fat_scan(struct fat *fat);

/* Take a free cluster, best the one at `near`, and make it the end of a chain. -ENOSPC, -EIO. */
int fat_allocate(struct fat *fat, uint32_t near, uint32_t *cluster);

/* Free a chain at the next commit. */
void fat_free_later(struct fat *fat, uint32_t last, uint32_t first);

/* Free the pending chains in the table. When that is on the disk, their clusters may be used again. */
int fat_free_pending(struct fat *fat);
void fat_release_freed(struct fat *fat);

/* --- fat_chain.c: the clusters of a file --- */

/* The index-th cluster, and how many follow it on the disk in order (itself counted). Returns 1, 0 if the
 * chain ends before, or -errno. */
int fat_chain_find(struct fat_node *node, uint32_t index, uint32_t *cluster, uint32_t *count);

/* Have at least `count` clusters. Returns 0, -ENOSPC (some may have been added), or another -errno. */
int fat_chain_extend(struct fat_node *node, uint32_t count);

/* Keep only the first `count` clusters. The node's size has been reduced before. */
int fat_chain_trim(struct fat_node *node, uint32_t count);

/* Where the byte at `offset` of the file is on the device, and how many bytes follow it there. Returns 1, 0
 * if the chain ends before, or -errno. */
int fat_map(struct fat_node *node, uint64_t offset, uint64_t *position, uint64_t *bytes);

/* --- fat_volume.c --- */

void fat_lock(struct fat *fat);
/* And give back the references of fat_put_later. */
void fat_unlock(struct fat *fat);
void fat_put_later(struct fat_node *node);

/* The volume is found damaged: say what, once, and let nobody write any more. Returns -EUCLEAN. */
int fat_damaged(struct fat *fat, const char *what, uint64_t where);

/* --- fat_commit.c: making changes durable --- */

/* Make everything durable that was done. With the lock held. Returns 0 or -EIO. */
int fat_commit(struct fat *fat);

/* For those who do not hold it. */
int fat_sync(struct fat *fat);

/* The same if so much waits that it should not wait longer. With the lock held. */
int fat_relieve(struct fat *fat);

/* The node's size, times, attributes or first cluster have to be written; or not any more. */
void fat_mark_dirty(struct fat_node *node);
void fat_forget_dirty(struct fat_node *node);

/* --- fat_node.c: nodes and their entries --- */

/* The node whose entry this is, with a reference. Returns 0 or -errno. */
struct fat_entry;
int fat_node_get(struct vnode *dir, const struct fat_entry *entry, struct vnode **out);

/* The root directory, as the first node. */
int fat_node_root(struct fat *fat, struct vnode **out);

/* The node is at another place now; 0: at none. */
void fat_node_move(struct fat_node *node, uint64_t entry, uint32_t slot, uint32_t slots);

/* Put into the entry what the node knows. */
void fat_fill_entry(const struct fat_node *node, struct fat_short *entry);

/* Let go of the node (NULL: all), if it is one that is kept because it was used lately. */
void fat_forget_recent(struct fat *fat, struct vnode *node);

/* --- fat_name.c --- */

/* UTF-8 to UCS-2 (with surrogates); trailing dots fall. Returns the length, -EINVAL or -ENAMETOOLONG. */
int fat_name_parse(const char *name, uint16_t *out);

/* UCS-2 to UTF-8 with a zero. Returns the length, or -ENAMETOOLONG if it is more than NAME_MAX. */
int fat_name_format(const uint16_t *name, unsigned length, char *out);

/* A short name as UCS-2: in lower case where case_bits say so. Returns the length. */
int fat_name_of_short(const struct fat_short *entry, uint16_t *out);

bool fat_names_equal(const uint16_t *a, unsigned a_length, const uint16_t *b, unsigned b_length);
uint32_t fat_name_hash(const uint16_t *name, unsigned length);

/* Does the name need no long one? Then its short form is in `entry`. */
bool fat_name_is_short(const uint16_t *name, unsigned length, struct fat_short *entry);

/* The number-th try at a short alias. */
void fat_name_alias(const uint16_t *name, unsigned length, unsigned number, uint8_t *alias);

uint8_t fat_name_checksum(const uint8_t *short_name);

/* --- fat_time.c: dates from 1980 to 2107, in units of 2 seconds --- */

int64_t fat_time_to_ns(uint16_t date, uint16_t time);
void fat_time_from_ns(int64_t ns, uint16_t *date, uint16_t *time);

/* --- fat_dir.c: the slots of directories --- */

/* A file's entry as it was read. */
struct fat_entry {
    uint32_t slot, slots; /* the first one, and how many with the long name */
    uint64_t position;    /* of the short entry on the device */
    struct fat_short raw;
    unsigned length; /* of the long name; 0: there is none */
    uint16_t name[FAT_NAME_MAX + 15];
};

struct fat_cursor {
    struct fat_node *dir;
    uint32_t slot;     /* the next one to look at */
    uint32_t loaded;   /* the buffer has the 16 slots from here on; FAT_SLOTS_MAX: nothing */
    uint64_t position; /* of them */
    struct fat_short buffer[FAT_SECTOR_SLOTS];
    struct fat_index *filling; /* notes each slot in use; may be NULL */
};

/* The next entry from cursor->slot on. Returns 1, 0 at the end, or -errno. */
int fat_dir_next(struct fat_cursor *cursor, struct fat_entry *entry);

/* Where a slot is on the device. Returns 1, 0 beyond the end, or -errno. */
int fat_dir_slot(struct fat_node *dir, uint32_t slot, uint64_t *position);

/* Find a name. Returns 0, -ENOENT or another -errno. */
int fat_dir_find(struct fat_node *dir, const uint16_t *name, unsigned length, struct fat_entry *entry);

/* Is there nothing in it? Returns 1, 0, or -errno. */
int fat_dir_empty(struct fat_node *dir);

/* --- fat_index.c: the names of a directory, in memory --- */

/* Make it if there is none. Returns 0 or -errno. */
int fat_index_have(struct fat_node *dir);
void fat_index_free(struct fat_node *dir);
void fat_index_note_slot(struct fat_index *index, uint32_t slot, bool used);

/* The directory has an entry more. If there is no memory for it, the index goes, and is made anew when it is
 * needed: what is on the disk by now is no failure. */
void fat_index_add(struct fat_node *dir, const struct fat_entry *entry);
void fat_index_remove(struct fat_index *index, const struct fat_entry *entry);

/* The slots of names with this hash, one after the other: *at is 0 at first. Returns FAT_SLOTS_MAX at the
 * end. */
uint32_t fat_index_next(const struct fat_index *index, uint32_t hash, uint32_t *at);

/*
 * The first of `count` free slots in order below `limit`, all in one sector if they fit into one: then the
 * entry can be renamed in one write. Returns FAT_SLOTS_MAX if there are none. The second form takes any.
 */
uint32_t fat_index_find_free(struct fat_index *index, uint32_t count, uint32_t limit);
uint32_t fat_index_find_split(const struct fat_index *index, uint32_t count, uint32_t limit);
bool fat_index_slot_free(const struct fat_index *index, uint32_t slot);

/* --- fat_entry.c: adding and removing entries --- */

/* A name and all slots that it needs; the last one is the short entry. */
struct fat_new_entry {
    unsigned count;
    struct fat_short slots[FAT_ENTRY_SLOTS];
    uint16_t name[FAT_NAME_MAX + 1];
    unsigned length;
};

/* Parse a name and choose its alias in this directory. Returns 0 or -errno. */
int fat_entry_prepare(struct fat_node *dir, const char *name, struct fat_new_entry *entry);

/* Write it where there is room. The place is in *placed. */
int fat_entry_add(struct fat_node *dir, struct fat_new_entry *entry, struct fat_entry *placed);

/* Give up the node's slots in the directory. */
int fat_entry_remove(struct fat_node *dir, struct fat_node *node);

/*
 * Put a new name over the node's slots in one sector, so that the disk has either the old or the new one.
 * Returns 1, 0 if it does not fit, or -errno.
 */
int fat_entry_replace(struct fat_node *dir, struct fat_node *node, struct fat_new_entry *entry);

/* Make the cluster an empty directory below the one that begins at `parent` (0: the root), on the disk too.
 */
int fat_entry_make_directory(struct fat *fat, uint32_t cluster, uint32_t parent, int64_t now);

/* --- operations on names, nodes and the whole (fat_names.c, fat_node.c, fat_commit.c) --- */

extern const struct vnode_ops fat_ops; /* all of them, with those on contents (fat_file.c) */
int fat_lookup(struct vnode *dir, const char *name, struct vnode **out);
int fat_create(struct vnode *dir, const char *name, uint32_t mode, const char *target, struct vnode **out);
int fat_unlink(struct vnode *dir, const char *name, struct vnode *node);
int fat_rename(struct vnode *from, const char *old_name, struct vnode *to, const char *new_name);
int fat_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg);
int fat_set_attributes(struct vnode *node);
int fat_sync_node(struct vnode *node);
void fat_release(struct vnode *node);

#endif
