/* For the tests of Moss's file systems on the host: a disk whose requests wait until somebody waits for them,
 * and the rest of the kernel around the block layer. */
#ifndef MOSS_DISK_H
#define MOSS_DISK_H

#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#define stat     moss_stat
#define statfs   moss_statfs
#include "guestos/include/block_cache.h"
#include "guestos/include/errno.h"
#include "guestos/include/filesystem.h"
#include "guestos/include/vfs.h"

#define DISK_QUEUE 4096

/* A write or flush that the disk has done, in order. */
struct disk_event {
    enum block_op op;
    uint64_t sector;
    uint32_t bytes;
    void *data;
};

struct disk {
    struct block_device device;
    int fd;
    char path[64]; /* by which other programs can open the image */
    struct block_request *queue[DISK_QUEUE];
    unsigned queued, queued_most; /* requests that wait now; at most */
    unsigned requests, flushes;
    uint32_t bytes_most;                      /* of one request */
    unsigned char *touched;                   /* pages of the image that are no holes; see disk_write */
    int read_error, write_error, flush_error; /* what such requests end with */
    bool in_order, recording;
    struct disk_event *events;
    size_t event_count, event_room;
};

/* A new disk of zeros. */
struct disk *disk_create(uint64_t bytes);
void disk_destroy(struct disk *disk);

/* Bytes of the image, past the cache. */
void disk_peek(struct disk *disk, uint64_t offset, void *to, size_t n);
void disk_poke(struct disk *disk, uint64_t offset, const void *from, size_t n);

/* Let all requests that wait be done. */
void disk_settle(struct disk *disk);

/* Run a program of the host, with printf's arguments; @ stands for the disk's path. Returns its exit status;
 * what it says is in disk_output. */
int disk_run(struct disk *disk, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern char disk_output[1 << 20];
extern size_t disk_output_size;

/* How large the cache is, in blocks: before the first disk. */
extern uint64_t disk_cache_blocks;

/* What the kernel has warned of, as one text, since the test set it to "". */
extern char disk_warnings[4096];

/* kmalloc gives NULL from the n-th call on; 0: never. */
extern unsigned disk_kmalloc_fails;

/* The largest number of bytes that kmalloc was asked for. */
extern size_t disk_kmalloc_most;

/* What frames_free() says; and frames that the test has from frame_lender and that are free again. */
#define DISK_LENT_MAX 256
extern uint64_t disk_frames_free, disk_lent[DISK_LENT_MAX];
extern unsigned disk_lent_count;

/* --- the file system on it (moss_files.c) --- */

/* Mount it as the root of all. Returns 0 or -errno. */
int disk_mount(struct disk *disk, bool read_only);
int disk_unmount(void);

/* Files by path, as the system calls would do it. All return -errno if they fail. */
int fs_open(const char *path, struct vnode **out);
int fs_create(const char *path, uint32_t mode, struct vnode **out);
ssize_t fs_write(struct vnode *node, const void *from, size_t n, uint64_t offset);
ssize_t fs_read(struct vnode *node, void *to, size_t n, uint64_t offset);
int fs_truncate(struct vnode *node, uint64_t size);
int fs_mkdir(const char *path);
int fs_unlink(const char *path);
int fs_rename(const char *from, const char *to);
int fs_sync(const char *path);

/* A whole file at once. fs_get returns its length. */
int fs_put(const char *path, const void *data, size_t n);
ssize_t fs_get(const char *path, void *to, size_t room);

/* Names in a directory, in order of the disk, each ending with a newline. Returns how many, or -errno. */
int fs_list(const char *path, char *to, size_t room);
uint64_t fs_free_bytes(void);

#endif
