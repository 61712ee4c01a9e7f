/* Fuzz Moss's cpio reader with any bytes as the archive. */
/* sources: guestos/fs/cpio.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "guestos/include/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_entry entry;
    size_t offset = 0, before = 0, sum = 0;

    while (cpio_next(data, size, &offset, &entry) == 1) {
        if (offset <= before)
            abort(); /* would read the same entry for ever */
        before = offset;
        sum += strlen(entry.name);
        for (size_t i = 0; i < entry.size; i++)
            sum += (uint8_t)entry.data[i];
    }
    *(volatile size_t *)&sum = sum;
    return 0;
}
