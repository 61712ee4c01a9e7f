/* `terrarium report TRACE`: one page of HTML that needs nothing else: the trace's events beside the text and
 * the script that show them. */
#include <limits.h>
#include <stdlib.h>
#include "../feature.h"
#include "json.h"
#include "report.h"

/* The page's own text, linked in as it stands in the source. */
extern const char _binary_hypervisor_inspect_report_html_start[],
    _binary_hypervisor_inspect_report_html_end[], _binary_hypervisor_inspect_report_js_start[],
    _binary_hypervisor_inspect_report_js_end[];

#define PART(name) _binary_hypervisor_inspect_##name##_start, _binary_hypervisor_inspect_##name##_end

static void put_part(FILE *out, const char *begin, const char *end)
{
    fwrite(begin, 1, (size_t)(end - begin), out);
}

/* Write the page. Returns 0, or -EBADMSG after a complain(). */
static int make_page(FILE *trace, const char *name, FILE *page)
{
    put_part(page, PART(report_html));
    fputs("<script type=\"application/json\" id=\"file\">", page);
    json_put(page, name, strlen(name));
    fputs("</script>\n<script type=\"application/json\" id=\"data\">", page);
    const char *wrong = report_read(trace, page);
    fputs("</script>\n<script>\n", page);
    put_part(page, PART(report_js));
    fputs("</script>\n", page);
    return wrong ? complain(-EBADMSG, "report: %s cannot be read: at byte %ld: %s", name, ftell(trace), wrong)
                 : 0;
}

/* Returns 0 or -errno after a complain(). */
static int save(const char *path, const char *page, size_t size)
{
    FILE *out = fopen(path, "we");

    if (!out)
        return complain(-EIO, "report: %s: %s", path, strerror(errno));
    fwrite(page, 1, size, out);
    if (ferror(out) | fclose(out))
        return complain(-EIO, "report: cannot write all of %s: %s", path, strerror(errno));
    printf("%s: a page of %.0f KB\n", path, (double)size / 1e3);
    return 0;
}

static int report_run(int argc, char **argv)
{
    char path[PATH_MAX + sizeof ".html"], *page = NULL;
    size_t size = 0;

    if (argc != 2 && argc != 3)
        return complain(STATUS_USAGE, "report: say which trace: terrarium report TRACE [PAGE]");
    snprintf(path, sizeof path, argc == 3 ? "%s" : "%s.html", argv[argc - 1]);
    FILE *trace = fopen(argv[1], "re");
    if (!trace)
        return complain(STATUS_HOST_ERROR, "report: %s: %s", argv[1], strerror(errno));
    FILE *out = open_memstream(&page, &size); /* only a page that is whole is saved */
    int err = out ? make_page(trace, argv[1], out) : -ENOMEM;
    fclose(trace);
    if (!out || fclose(out) != 0)
        err = complain(-ENOMEM, "report: no memory for the page of %s", argv[1]);
    err = err ?: save(path, page, size);
    free(page);
    return err ? STATUS_HOST_ERROR : 0;
}

COMMAND(report) = {
    .name = "report",
    .synopsis = "TRACE [PAGE]",
    .help = "make a page of HTML from what run --trace wrote",
    .run = report_run,
};
