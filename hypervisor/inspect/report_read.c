/* Reads a trace for `terrarium report`, an event at a time. The file may hold anything. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

#define LATEST_US 1e12  /* eleven days: what lies further off is no time */
#define TEXTS_MAX 65536 /* those above are of kind 0, "all others" */
#define JSON_PART (JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL)

struct report {
    FILE *trace, *page, *others; /* others: in memory */
    json_t *texts, *places;      /* texts, each once, and an object that has the place of each */
    int64_t last;                /* when the event before began, in 10 ns */
    bool comma;                  /* there was one */
};

static int put_escaped(const char *bytes, size_t size, void *out)
{
    for (; size > 0; size--, bytes++)
        if (*bytes == '<') /* only in strings; there it could end the script element */
            fputs("\\u003c", out);
        else
            fputc(*bytes, out);
    return 0;
}

static void put(FILE *out, const char *before, const json_t *value)
{
    fputs(before, out);
    json_dump_callback(value, put_escaped, out, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
}

/* The place of a text among the texts, where it is put if it is new. Frees it. */
static json_int_t place_of(struct report *r, json_t *text)
{
    size_t count = json_array_size(r->texts);
    json_t *place = json_object_get(r->places, json_string_value(text));

    if (!place && text && count < TEXTS_MAX) {
        place = json_integer((json_int_t)count);
        json_object_set_new(r->places, json_string_value(text), place);
        json_array_append(r->texts, text);
    }
    json_decref(text);
    return json_integer_value(place); /* 0 for NULL */
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key)) ?: "";
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key)); /* 0 if there is none */
}

static void add_other(struct report *r, const json_t *event)
{
    const json_t *printed = json_object_get(json_object_get(event, "args"), "text");

    if (!json_is_string(printed)) {
        put(r->others, ",\n", event);
        return;
    }
    fprintf(r->others, ",\n[%.2f", number(event, "ts"));
    put(r->others, ",", printed);
    fputc(']', r->others);
}

static bool is_time(double us)
{
    return us >= 0 && us <= LATEST_US; /* false for NaN */
}

/* Returns NULL, or what is wrong. */
static const char *add_event(struct report *r, const json_t *event)
{
    const json_t *args = json_object_get(event, "args");
    const char *place = text(args, "at");
    int function = (int)strcspn(place, "+"); /* without the offset in it */

    if (!json_is_object(event) || !is_time(number(event, "ts")) || !is_time(number(event, "dur")))
        return "an event is an object whose ts and dur are times, from 0 to 1e12 microseconds";
    if (strcmp(text(event, "ph"), "X") != 0)
        return add_other(r, event), NULL;
    int64_t begin = (int64_t)(number(event, "ts") * 100);
    json_int_t kind =
        place_of(r, json_sprintf("%s\t%s\t%s\t%s\t%.*s", text(event, "cat"), text(event, "name"),
                                 text(args, "reason"), text(args, "device"), function, place));
    json_int_t track =
        place_of(r, json_sprintf("%lld\t%lld", json_integer_value(json_object_get(event, "pid")),
                                 json_integer_value(json_object_get(event, "tid"))));
    fprintf(r->page, "%s%lld,%lld,%ld,%ld", r->comma ? "," : "", kind, track, begin - r->last,
            (int64_t)(number(event, "dur") * 100));
    r->last = begin;
    r->comma = true;
    return NULL;
}

/* Whether the file goes on with what the format matches; it ends with %n, which then sets *end. */
static bool goes_on(FILE *trace, const char *format)
{
    int end = 0;

    return fscanf(trace, format, &end) <= 0 && end > 0;
}

static const char *read_events(struct report *r)
{
    static json_error_t error;
    const char *wrong = NULL;
    char mark = ',';

    if (!goes_on(r->trace, " { \"displayTimeUnit\" : \"ns\" , \"traceEvents\" : [%n"))
        return "this is no trace that terrarium run --trace wrote";
    while (!wrong && mark == ',') {
        json_t *event = json_loadf(r->trace, JSON_PART, &error);
        wrong = event ? add_event(r, event) : error.text;
        json_decref(event);
        if (!wrong && (fscanf(r->trace, " %c", &mark) < 1 || (mark != ',' && mark != ']')))
            wrong = "a comma or ] should come after an event";
    }
    return wrong;
}

/* What follows the events, to the end of the file. */
static const char *read_totals(struct report *r)
{
    json_t *totals =
        goes_on(r->trace, " , \"otherData\" : %n") ? json_loadf(r->trace, JSON_PART, NULL) : NULL;
    bool whole = json_is_object(totals) && goes_on(r->trace, " }%n ") && getc(r->trace) == EOF;

    put(r->page, ",\n\"totals\":", totals);
    json_decref(totals);
    return whole ? NULL : "the totals should come at its end, under otherData";
}

const char *report_read(FILE *trace, FILE *page)
{
    char *others = NULL;
    size_t size = 0;
    struct report r = {trace, page, open_memstream(&others, &size), NULL, json_object(), 0, false};

    r.texts = json_pack("[s]", "\tall others");
    __fsetlocking(trace, FSETLOCKING_BYCALLER); /* it is read by the byte, by this thread only */
    fputs("{\"events\":[", page);
    const char *wrong = read_events(&r);
    fputs("]", page);
    wrong = wrong ?: read_totals(&r);
    put(page, ",\n\"texts\":", r.texts);
    fclose(r.others);
    fprintf(page, ",\n\"others\":[{}%s]}\n", others);
    free(others);
    json_decref(r.texts);
    json_decref(r.places);
    return wrong;
}
