/* Fuzz the report: any file as a trace. */
/* sources: hypervisor/inspect/report_read.c */
#include <stddef.h>
#include <stdint.h>
#include "inspect/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *trace = fmemopen((void *)data, size, "r"), *page = fopen("/dev/null", "w");

    report_read(trace, page);
    fclose(trace);
    fclose(page);
    return 0;
}
