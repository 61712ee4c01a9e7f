/* For the unit tests of virtio devices: a machine of plain memory around a device, and a small driver for it.
 */
#ifndef VIRTIO_HOST_H
#define VIRTIO_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "devices/console.h"
#include "virtio/virtio.h"

#define RAM_SIZE  (256 * KiB)
#define WINDOW(n) (0xd0000000ul + (n)*0x1000ul) /* registers of the n-th device */

enum {
    R_MAGIC = 0,
    R_VERSION = 4,
    R_ID = 8,
    R_VENDOR = 0xc,
    R_DEVICE_FEATURES = 0x10,
    R_DEVICE_FEATURES_SEL = 0x14,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_QUEUE_SEL = 0x30,
    R_QUEUE_MAX = 0x34,
    R_QUEUE_SIZE = 0x38,
    R_QUEUE_READY = 0x44,
    R_NOTIFY = 0x50,
    R_INTERRUPTS = 0x60,
    R_ACK = 0x64,
    R_STATUS = 0x70,
    R_DESC = 0x80,
    R_AVAIL = 0x90,
    R_USED = 0xa0,
    R_GENERATION = 0xfc,
    R_CONFIG = 0x100
};

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

#define READY_STATUS 15u /* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK */

/* The machine: fresh after machine_new(), with the features that the test program links attached. */
extern struct vm *machine;
extern uint8_t *ram; /* RAM_SIZE bytes at guest-physical 0, and not one more */
extern int line_level[24], line_edges[24];
extern char printed[64 * 1024]; /* what went to the console */
extern size_t printed_size;
extern char complaint[512]; /* the last message to stderr */
extern unsigned complaints;
extern int typed[4096]; /* what the console's input has: typed[typed_at..typed_count) */
extern unsigned typed_at, typed_count;
extern uint16_t window_columns, window_rows;
extern unsigned stops_after; /* vm_stopping() is true once it was asked so often; 0: never */

void machine_new(void);
void machine_free(void);
void console_has_news(void); /* call the console's ready() */

/* Registers of the device whose window begins at `window`. */
uint32_t reg(uint64_t window, unsigned offset);
void set_reg(uint64_t window, unsigned offset, uint32_t value);

/* The driver's side of a queue, with its parts in RAM behind one another. */
struct test_queue {
    uint64_t window;
    unsigned index;
    uint16_t size, avail_idx, used_idx;
    uint64_t desc, avail, used;
    bool event_idx;
};

/* Bring the device up with these features (beside VERSION_1); one queue of `size` at RAM + 4 KiB times (index
 * + 1). */
void driver_begin(uint64_t window, uint64_t features);
struct test_queue driver_queue(uint64_t window, unsigned index, uint16_t size, bool event_idx);
void driver_ready(uint64_t window);

void put_desc(const struct test_queue *q, unsigned n, uint64_t gpa, uint32_t len, uint16_t flags,
              uint16_t next);
void put_desc_at(uint64_t table, unsigned n, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next);
void offer(struct test_queue *q, uint16_t head); /* without notifying */
void notify_queue(const struct test_queue *q);

/* Take the next used entry. Returns false if there is none. */
bool take_used(struct test_queue *q, uint32_t *id, uint32_t *len);
uint16_t used_index(const struct test_queue *q);

#endif
