/* For the tests of drivers on the host: a page of registers whose every load and store is the device's to
 * answer. */
#ifndef MMIO_HOST_H
#define MMIO_HOST_H

#include <stdint.h>

struct mmio_host {
    uint32_t (*read)(unsigned offset);
    void (*write)(unsigned offset, uint32_t value);
    void *page; /* set by mmio_host_map() */
};

/* Returns the device's page. To be called in the test itself: cmocka has signal handlers of its own for each
 * test. */
void *mmio_host_map(struct mmio_host *device);

#endif
