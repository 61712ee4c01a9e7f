/* Fuzz the report: any file as a trace. */
/* sources: hypervisor/inspect/report_read.c hypervisor/inspect/report_sum.c hypervisor/inspect/json.c */
#include "inspect/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report r;
    size_t at;

    if (report_init(&r) == 0 && !report_read(&r, (const char *)data, size, &at))
        report_sum(&r, 50);
    report_free(&r);
    return 0;
}
