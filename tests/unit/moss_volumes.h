/* For the tests of Moss's FAT: volumes of every kind, which others judge when the work on them is done. */
#ifndef MOSS_VOLUMES_H
#define MOSS_VOLUMES_H

#include "tests/unit/moss_disk.h"

#define MIB 1048576ul

/* By the width of the table's entries, and the size of a cluster. */
enum volume {
    FAT12_512,
    FAT12_4K,
    FAT12_32K,
    FAT16_512,
    FAT16_2K,
    FAT16_32K,
    FAT32_512,
    FAT32_4K,
    FAT32_32K,
    VOLUMES
};

extern struct disk *disk; /* the one with the volume */
extern char buffer[MIB], got[MIB];

/* Do work on a new volume of this kind, or on one of each; then fsck.fat must be content. */
void on(enum volume kind, void (*work)(void));
void on_each(void (*work)(void));

/* The kernel has not complained, and fsck.fat does not. */
void check_disk(const char *what);

/* n bytes that follow from the seed. */
void fill(char *to, size_t n, unsigned seed);

/* Write a file of such bytes by way of `buffer`, and expect it, or others, by way of `got`. */
void put(const char *path, unsigned seed, size_t n);
void expect_content(const char *path, unsigned seed, size_t n);
void expect_file(const char *path, const char *expected, size_t n);

struct vnode *open_node(const char *path);

#endif
