/* What `terrarium report` knows of a trace: its events, and what they add up to. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NAME_MAX_LENGTH 64

/* Things with a name and a sum: kinds of events, functions of the guest. The last entry of a full table takes
 * all that has no place of its own. */
struct tally {
    char name[NAME_MAX_LENGTH];
    char category[16];           /* of a kind: "exit", "syscall", ...; of a function: "" */
    char reason[24], device[32]; /* of a kind of exit */
    uint64_t count;
    double busy, longest, guest; /* microseconds: in handlers, in the longest, in the guest before */
};

struct tallies {
    struct tally *items;
    uint32_t *slots; /* a hash table: 1 + index into items, or 0 */
    uint32_t count;
};

#define TALLIES_MAX 4096
#define SLOTS       8192 /* a power of 2, twice as many */

/* The tally of that name in that category; a new one if there is none. */
struct tally *tally_find(struct tallies *t, const char *category, const char *name);

struct slice {
    double at, length; /* microseconds */
    uint32_t kind, track, count;
};

struct track {
    uint32_t process, thread;
    char name[NAME_MAX_LENGTH];
};

#define TRACKS_MAX 256

/* A line of the console, with what happened since the line before. */
struct line {
    double at; /* of its last byte */
    char text[160];
    uint32_t length;
    uint64_t exits;
    double busy;
    uint32_t most; /* the kind of exit that there were most of, */
    uint64_t most_count;
};

#define LINES_MAX 5000

struct report {
    struct slice *slices; /* as they stand in the file; by their beginning after report_sum() */
    size_t slice_count, slice_room;
    struct tallies kinds, places;
    struct track tracks[TRACKS_MAX];
    uint32_t track_count;
    struct line *lines; /* LINES_MAX; the last may be unfinished */
    uint32_t line_count;
    uint64_t lines_missing;
    double begin, end; /* microseconds */
    uint64_t events, dropped, over_limit, lost, every;
    double merged; /* slices nearer than this were put together, microseconds; 0: none were */
};

/* ---- report_read.c ---- */

/* Read a trace. Returns NULL, or what is wrong with it, with the byte in *at. */
const char *report_read(struct report *r, const char *text, size_t size, size_t *at);

int report_init(struct report *r); /* 0 or -ENOMEM */
void report_free(struct report *r);

/* ---- report_sum.c ---- */

/* Put slices together until no more than `most` are left, and give each line of the console its exits. */
void report_sum(struct report *r, size_t most);

#endif
