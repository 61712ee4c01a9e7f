/* Reads a trace for `terrarium report`: every event becomes a slice of a track and a part of a few sums. The
 * file may hold anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "report.h"

#define LONGEST_US 1e12 /* eleven days: what lies further off is no time */

int report_init(struct report *r)
{
    *r = (struct report){.every = 1};
    r->lines = calloc(LINES_MAX, sizeof *r->lines);
    struct tallies *both[] = {&r->kinds, &r->places};
    for (int i = 0; i < 2; i++) {
        both[i]->items = calloc(TALLIES_MAX, sizeof *both[i]->items);
        both[i]->slots = calloc(SLOTS, sizeof *both[i]->slots);
        if (!both[i]->items || !both[i]->slots)
            return -ENOMEM;
    }
    return r->lines ? 0 : -ENOMEM;
}

void report_free(struct report *r)
{
    free(r->slices);
    free(r->lines);
    free(r->kinds.items);
    free(r->kinds.slots);
    free(r->places.items);
    free(r->places.slots);
}

static uint32_t hash(const char *category, const char *name)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *category; category++)
        h = (h ^ (uint8_t)*category) * 16777619u;
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

struct tally *tally_find(struct tallies *t, const char *category, const char *name)
{
    uint32_t slot = hash(category, name) % SLOTS;

    for (; t->slots[slot]; slot = (slot + 1) % SLOTS) {
        struct tally *found = &t->items[t->slots[slot] - 1];
        if (strcmp(found->name, name) == 0 && strcmp(found->category, category) == 0)
            return found;
    }
    if (t->count == TALLIES_MAX)
        return &t->items[TALLIES_MAX - 1];
    t->slots[slot] = ++t->count;
    struct tally *new = &t->items[t->count - 1];
    bool last = t->count == TALLIES_MAX;
    snprintf(new->name, sizeof new->name, "%s", last ? "all others" : name);
    snprintf(new->category, sizeof new->category, "%s", category);
    return new;
}

/* An event as it stands in the file. */
struct event {
    char phase[4], category[16], name[NAME_MAX_LENGTH];
    double process, thread, at, length;
    char reason[24], device[32], place[NAME_MAX_LENGTH], text[64], given_name[NAME_MAX_LENGTH];
    size_t text_length;
    double guest; /* negative: not known */
};

static void read_args(struct json *j, struct event *e)
{
    char key[16];

    if (json_peek(j) != '{') {
        json_skip(j);
        return;
    }
    for (json_begin(j, '{'); json_key(j, key, sizeof key);) {
        bool is_text = json_peek(j) == '"';
        if (is_text && strcmp(key, "reason") == 0)
            json_string(j, e->reason, sizeof e->reason);
        else if (is_text && strcmp(key, "device") == 0)
            json_string(j, e->device, sizeof e->device);
        else if (is_text && strcmp(key, "at") == 0)
            json_string(j, e->place, sizeof e->place);
        else if (is_text && strcmp(key, "name") == 0)
            json_string(j, e->given_name, sizeof e->given_name);
        else if (is_text && strcmp(key, "text") == 0)
            e->text_length = json_string(j, e->text, sizeof e->text);
        else if (!is_text && strcmp(key, "guest_us") == 0)
            e->guest = json_number(j);
        else
            json_skip(j);
    }
}

static void read_event(struct json *j, struct event *e)
{
    char key[16];

    *e = (struct event){.guest = -1};
    for (json_begin(j, '{'); json_key(j, key, sizeof key);)
        if (strcmp(key, "ph") == 0)
            json_string(j, e->phase, sizeof e->phase);
        else if (strcmp(key, "cat") == 0)
            json_string(j, e->category, sizeof e->category);
        else if (strcmp(key, "name") == 0)
            json_string(j, e->name, sizeof e->name);
        else if (strcmp(key, "pid") == 0)
            e->process = json_number(j);
        else if (strcmp(key, "tid") == 0)
            e->thread = json_number(j);
        else if (strcmp(key, "ts") == 0)
            e->at = json_number(j);
        else if (strcmp(key, "dur") == 0)
            e->length = json_number(j);
        else if (strcmp(key, "args") == 0)
            read_args(j, e);
        else
            json_skip(j);
}

static bool is_time(double us)
{
    return us >= 0 && us <= LONGEST_US; /* false for NaN */
}

static uint32_t number(double d)
{
    return d >= 0 && d <= UINT32_MAX ? (uint32_t)d : UINT32_MAX;
}

/* The track of a thread; tracks that have no place of their own share the last. */
static uint32_t track_of(struct report *r, const struct event *e)
{
    uint32_t process = number(e->process), thread = number(e->thread), i = 0;

    while (i < r->track_count && (r->tracks[i].process != process || r->tracks[i].thread != thread))
        i++;
    if (i == TRACKS_MAX)
        return TRACKS_MAX - 1;
    if (i == r->track_count) {
        r->tracks[r->track_count++] = (struct track){.process = process, .thread = thread};
        snprintf(r->tracks[i].name, sizeof r->tracks[i].name, i == TRACKS_MAX - 1 ? "others" : "process %u",
                 thread);
    }
    return i;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void add_to(struct tally *t, const struct event *e)
{
    t->count++;
    t->busy += e->length;
    t->longest = larger(t->longest, e->length);
    t->guest += e->guest > 0 ? e->guest : 0;
}

/* Returns false if there is no memory. */
static bool add_slice(struct report *r, const struct event *e, uint32_t kind)
{
    if (r->slice_count == r->slice_room) {
        size_t room = r->slice_room ? 2 * r->slice_room : 4096;
        struct slice *more = reallocarray(r->slices, room, sizeof *more);
        if (!more)
            return false;
        r->slices = more;
        r->slice_room = room;
    }
    r->slices[r->slice_count++] = (struct slice){e->at, e->length, kind, track_of(r, e), 1};
    return true;
}

static bool add_span(struct report *r, struct event *e)
{
    struct tally *kind = tally_find(&r->kinds, e->category, e->name);

    if (strcmp(e->category, "exit") == 0) {
        snprintf(kind->reason, sizeof kind->reason, "%s", e->reason);
        snprintf(kind->device, sizeof kind->device, "%s", e->device);
        e->place[strcspn(e->place, "+")] = '\0'; /* the function without the offset */
        if (e->place[0])
            add_to(tally_find(&r->places, "", e->place), e);
    }
    add_to(kind, e);
    r->end = larger(r->end, e->at + e->length);
    r->begin = -larger(-r->begin, -e->at);
    return add_slice(r, e, (uint32_t)(kind - r->kinds.items));
}

/* Console bytes, a line at a time. */
static void add_text(struct report *r, const struct event *e)
{
    for (size_t i = 0; i < e->text_length; i++) {
        struct line *line = &r->lines[r->line_count - (r->line_count == LINES_MAX)];
        if (r->line_count == LINES_MAX) {
            r->lines_missing += e->text[i] == '\n';
            continue;
        }
        line->at = e->at;
        if (e->text[i] == '\n')
            r->line_count++;
        else if (e->text[i] != '\r' && line->length < sizeof line->text)
            line->text[line->length++] = e->text[i];
    }
}

static bool add_event(struct report *r, struct event *e)
{
    r->events += e->phase[0] != 'M';
    if (strcmp(e->phase, "M") == 0 && strcmp(e->name, "thread_name") == 0) {
        struct track *track = &r->tracks[track_of(r, e)];
        memcpy(track->name, e->given_name, sizeof track->name);
    } else if (is_time(e->at) && is_time(e->length) && strcmp(e->phase, "X") == 0) {
        return add_span(r, e);
    } else if (is_time(e->at) && strcmp(e->category, "console") == 0) {
        add_text(r, e);
    }
    return true;
}

static uint64_t count_of(struct json *j)
{
    double d = json_number(j);

    return d >= 0 && d < 1e15 ? (uint64_t)d : 0;
}

static void read_totals(struct report *r, struct json *j)
{
    char key[16];

    for (json_begin(j, '{'); json_key(j, key, sizeof key);)
        if (strcmp(key, "dropped") == 0)
            r->dropped = count_of(j);
        else if (strcmp(key, "over_limit") == 0)
            r->over_limit = count_of(j);
        else if (strcmp(key, "lost_by_guest") == 0)
            r->lost = count_of(j);
        else if (strcmp(key, "every") == 0)
            r->every = count_of(j);
        else
            json_skip(j);
}

const char *report_read(struct report *r, const char *text, size_t size, size_t *at)
{
    struct json j = json_text(text, size);
    bool memory = true, found = false;
    struct event e;
    char key[16];

    r->begin = LONGEST_US;
    for (json_begin(&j, '{'); memory && json_key(&j, key, sizeof key);)
        if (strcmp(key, "traceEvents") == 0) {
            found = true;
            for (json_begin(&j, '['); memory && json_item(&j);) {
                read_event(&j, &e);
                memory = j.error || add_event(r, &e);
            }
        } else if (strcmp(key, "otherData") == 0) {
            read_totals(r, &j);
        } else {
            json_skip(&j);
        }
    *at = (size_t)(j.at - j.start);
    if (!memory)
        return "memory for its events";
    if (!json_done(&j))
        return j.error;
    r->begin = r->begin < r->end ? r->begin : r->end;
    return found ? NULL : "an object with traceEvents, as terrarium run --trace writes it";
}
