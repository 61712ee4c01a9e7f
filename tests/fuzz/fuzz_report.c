/* Fuzz the report: anything as what comes after the beginning of a trace. */
/* sources: hypervisor/inspect/report_read.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "inspect/report.h"

static const char head[] = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{\"ph\":\"X\",\"ts\":1";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(sizeof head - 1 + size);
    FILE *page = fopen("/dev/null", "w");

    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof head - 1, data, size);
    FILE *trace = fmemopen(text, sizeof head - 1 + size, "r");
    report_read(trace, page);
    fclose(trace);
    fclose(page);
    free(text);
    return 0;
}
