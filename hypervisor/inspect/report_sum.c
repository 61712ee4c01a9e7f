/* Makes a trace small enough for a page: neighbours on a track are put together, and each line of the console
 * gets the exits that came before it. */
#include <stdlib.h>
#include <string.h>
#include "report.h"

#define LOOK_BACK 256

static int by_beginning(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* A span of time, and where its merged slices begin in r->slices. */
struct bucket {
    double begin;
    size_t first;
};

/* Add a slice to the bucket's one of the same track and kind, if it is among the last LOOK_BACK: a trace may
 * have any number of kinds. Returns whether there was one. */
static bool join(struct report *r, const struct bucket *b, size_t used, const struct slice *s)
{
    size_t first = used - b->first > LOOK_BACK ? used - LOOK_BACK : b->first;

    for (size_t i = first; i < used; i++)
        if (r->slices[i].track == s->track && r->slices[i].kind == s->kind) {
            r->slices[i].length += s->length;
            r->slices[i].count += s->count;
            return true;
        }
    return false;
}

/* Within a bucket the merged slices of a track follow each other: their lengths show who had which share. */
static void lay_out(struct report *r, const struct bucket *b, size_t used)
{
    double taken[TRACKS_MAX] = {0};

    for (struct slice *s = r->slices + b->first; s < r->slices + used; s++) {
        s->at = b->begin + taken[s->track];
        taken[s->track] += s->length;
    }
}

/* Put together what begins within the same `width` microseconds. The result is written over what was read. */
static void merge(struct report *r, double width)
{
    struct bucket bucket = {r->begin, 0};
    size_t used = 0;

    for (size_t i = 0; i < r->slice_count; i++) {
        struct slice s = r->slices[i];
        if (s.at >= bucket.begin + width) {
            lay_out(r, &bucket, used);
            bucket.begin += width * (double)(uint64_t)((s.at - bucket.begin) / width);
            bucket.first = used;
        }
        if (!join(r, &bucket, used, &s))
            r->slices[used++] = s;
    }
    lay_out(r, &bucket, used);
    r->slice_count = used;
    r->merged = width;
}

static bool is_exit(const struct report *r, const struct slice *s)
{
    return strcmp(r->kinds.items[s->kind].category, "exit") == 0;
}

/* Note what the slices [first, last) did for the line; `counts` has a zero for each kind, before and after.
 */
static void note_exits(struct report *r, struct line *line, size_t first, size_t last, uint64_t *counts)
{
    for (size_t i = first; i < last; i++) {
        const struct slice *s = &r->slices[i];
        if (!is_exit(r, s))
            continue;
        line->exits++;
        line->busy += s->length;
        if (++counts[s->kind] > line->most_count) {
            line->most_count = counts[s->kind];
            line->most = s->kind;
        }
    }
    for (size_t i = first; i < last; i++)
        counts[r->slices[i].kind] = 0;
}

static void give_lines_their_exits(struct report *r)
{
    uint64_t *counts = calloc(TALLIES_MAX, sizeof *counts);
    size_t first = 0;

    for (uint32_t n = 0; counts && n < LINES_MAX && n <= r->line_count; n++) {
        size_t last = first;
        while (last < r->slice_count && r->slices[last].at <= r->lines[n].at)
            last++;
        note_exits(r, &r->lines[n], first, last, counts);
        first = last;
    }
    free(counts);
}

void report_sum(struct report *r, size_t most)
{
    double all = r->end - r->begin, width = all / (double)most * 8;

    if (r->slice_count == 0)
        return;
    qsort(r->slices, r->slice_count, sizeof *r->slices, by_beginning);
    give_lines_their_exits(r);
    for (; r->slice_count > most && width > 0 && width < 4 * all; width *= 4)
        merge(r, width);
    if (r->slice_count > most) /* no real trace has so many kinds at one time */
        r->slice_count = most;
}
