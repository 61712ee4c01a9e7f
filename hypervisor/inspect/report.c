/* `terrarium report TRACE`: one page of HTML that needs nothing else: the trace's events, summed up, beside
 * the text and the script that show them. */
#include <stdlib.h>
#include <unistd.h>
#include "../feature.h"
#include "json.h"
#include "report.h"

#define SLICES_SHOWN 60000
#define PLACES_SHOWN 40

/* The page's own text, linked in as it stands in the source. */
extern const char _binary_hypervisor_inspect_report_html_start[],
    _binary_hypervisor_inspect_report_html_end[];
extern const char _binary_hypervisor_inspect_report_js_start[], _binary_hypervisor_inspect_report_js_end[];

static void put_text(FILE *out, const char *text)
{
    json_put(out, text, strlen(text));
}

static void put_tallies(FILE *out, const char *name, const struct tallies *t, uint32_t most)
{
    fprintf(out, ",\n\"%s\":[", name);
    for (uint32_t i = 0; i < t->count && i < most; i++) {
        const struct tally *k = &t->items[i];
        fprintf(out, "%s[", i ? ",\n" : "");
        put_text(out, k->name);
        fprintf(out, ",%lu,%.3f,%.3f,%.3f,", k->count, k->busy, k->longest, k->guest);
        put_text(out, k->category);
        fputc(',', out);
        put_text(out, k->reason);
        fputc(',', out);
        put_text(out, k->device);
        fputc(']', out);
    }
    fputc(']', out);
}

static void put_tracks(FILE *out, const struct report *r)
{
    fputs(",\n\"tracks\":[", out);
    for (uint32_t i = 0; i < r->track_count; i++) {
        fprintf(out, "%s[%u,%u,", i ? "," : "", r->tracks[i].process, r->tracks[i].thread);
        put_text(out, r->tracks[i].name);
        fputc(']', out);
    }
    fputc(']', out);
}

/* Five numbers for each slice, in one flat array. */
static void put_slices(FILE *out, const struct report *r)
{
    fputs(",\n\"slices\":[", out);
    for (size_t i = 0; i < r->slice_count; i++) {
        const struct slice *s = &r->slices[i];
        fprintf(out, "%s%u,%u,%.2f,%.2f,%u", i ? "," : "", s->track, s->kind, s->at - r->begin, s->length,
                s->count);
    }
    fputc(']', out);
}

static void put_lines(FILE *out, const struct report *r)
{
    uint32_t count = r->line_count;

    if (count < LINES_MAX && r->lines[count].length > 0)
        count++; /* the last line had no end */
    fputs(",\n\"lines\":[", out);
    for (uint32_t i = 0; i < count; i++) {
        const struct line *l = &r->lines[i];
        fprintf(out, "%s[%.2f,", i ? ",\n" : "", l->at - r->begin);
        json_put(out, l->text, l->length);
        fprintf(out, ",%lu,%.3f,%u,%lu]", l->exits, l->busy, l->most, l->most_count);
    }
    fputc(']', out);
}

static void put_data(FILE *out, const struct report *r, const char *path)
{
    fputs("{\"file\":", out);
    put_text(out, path);
    fprintf(out,
            ",\"events\":%lu,\"length\":%.3f,\"dropped\":%lu,\"over_limit\":%lu,\"lost\":%lu,\"every\":%lu,"
            "\"merged\":%.3f,\"lines_missing\":%lu",
            r->events, r->end - r->begin, r->dropped, r->over_limit, r->lost, r->every, r->merged,
            r->lines_missing);
    put_tallies(out, "kinds", &r->kinds, TALLIES_MAX);
    put_tallies(out, "places", &r->places, PLACES_SHOWN);
    put_tracks(out, r);
    put_slices(out, r);
    put_lines(out, r);
    fputs("}\n", out);
}

#define PUT_PART(out, name)                                                                                  \
    fwrite(_binary_hypervisor_inspect_##name##_start, 1,                                                     \
           (size_t)(_binary_hypervisor_inspect_##name##_end - _binary_hypervisor_inspect_##name##_start),    \
           out)

/* Returns 0 or -errno after a complain(). */
static int write_page(const struct report *r, const char *trace, const char *path)
{
    FILE *out = fopen(path, "we");

    if (!out)
        return complain(-EIO, "report: %s: %s", path, strerror(errno));
    PUT_PART(out, report_html);
    fputs("<script type=\"application/json\" id=\"data\">\n", out);
    put_data(out, r, trace);
    fputs("</script>\n<script>\n", out);
    PUT_PART(out, report_js);
    fputs("</script>\n", out);
    long size = ftell(out);
    if (ferror(out) | fclose(out))
        return complain(-EIO, "report: cannot write all of %s: %s", path, strerror(errno));
    printf("%s: %lu events, a page of %.1f MB\n", path, r->events, (double)size / 1e6);
    return 0;
}

static int most_first(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    return (x->busy < y->busy) - (x->busy > y->busy);
}

/* Read the trace in `text` and write its page. Returns 0 or -errno after a complain(). */
static int report_make(const char *text, size_t size, const char *trace, const char *page)
{
    struct report r;
    size_t at = 0;
    int err = report_init(&r) < 0 ? complain(-ENOMEM, "report: no memory") : 0;

    if (err == 0) {
        const char *wanted = report_read(&r, text, size, &at);
        if (wanted)
            err = complain(-EBADMSG, "report: %s is no whole trace: at byte %zu of %zu there should be %s",
                           trace, at, size, wanted);
    }
    if (err == 0) {
        report_sum(&r, SLICES_SHOWN);
        qsort(r.places.items, r.places.count, sizeof *r.places.items, most_first);
        err = write_page(&r, trace, page);
    }
    report_free(&r);
    return err;
}

/* The whole file in fresh memory. NULL after a complain(). (Not mapped: it may become shorter while we read.)
 */
static char *read_file(const char *path, uint64_t *size)
{
    int fd = host_open("report", path, size);
    char *text = fd >= 0 ? malloc(*size + 1) : NULL;
    int err = text ? host_read_at(fd, text, *size, 0) : -ENOMEM;

    if (fd >= 0)
        close(fd);
    if (fd < 0 || err == 0)
        return text;
    complain(0, "report: cannot read %s: %s", path, strerror(-err));
    free(text);
    return NULL;
}

static int report_run(int argc, char **argv)
{
    char page[4096];
    uint64_t size;

    if (argc != 2 && argc != 3)
        return complain(STATUS_USAGE, "report: say which trace: terrarium report TRACE [PAGE]");
    snprintf(page, sizeof page, argc == 3 ? "%s" : "%s.html", argv[argc - 1]);
    char *text = read_file(argv[1], &size);
    int err = text ? report_make(text, size, argv[1], page) : -EIO;
    free(text);
    return err ? STATUS_HOST_ERROR : 0;
}

COMMAND(report) = {
    .name = "report",
    .synopsis = "TRACE [PAGE]",
    .help = "make a page of HTML from what run --trace wrote",
    .run = report_run,
};
