/* Fuzz the disk and the console: any memory, any registers, any rings. The machine must go on, and a reset
 * must heal it. */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/console.c hypervisor/virtio/blk.c hypervisor/virtio/rng.c */
/* sources: hypervisor/virtio/blk_uring.c tests/unit/uring_host.c tests/unit/watch_host.c */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/unit/uring_host.h"
#include "tests/unit/virtio_host.h"
#include "tests/unit/watch_host.h"
#include "virtio/blk.h"

#define DEVICES 3

static char disk_option[64];

/* The driver of a device, up to where it works. */
static void drive(uint64_t window, uint64_t features)
{
    driver_begin(window, features);
    for (unsigned i = 0; i < 2; i++)
        driver_queue(window, i, 8, false);
    driver_ready(window);
}

/* One step: what it does, where, and the value. */
struct step {
    uint8_t kind, device, offset;
    uint8_t value[5];
};

static void begin(void)
{
    int fd = memfd_create("disk", 0);

    if (ftruncate(fd, 64 * 512) < 0)
        abort();
    snprintf(disk_option, sizeof disk_option, "/proc/self/fd/%d", fd);
    for (struct feature **f = __start_features; f < __stop_features; f++)
        for (struct option *o = (*f)->options; o && o->name; o++) {
            o->value = strcmp(o->name, "console") == 0 ? NULL : disk_option;
            o->values[0] = disk_option;
            o->count = 1;
        }
    uring_new();
    watched_none();
    machine_new();
    close(fd);
    for (unsigned i = 0; i < DEVICES; i++)
        drive(WINDOW(i), VIRTIO_F_INDIRECT_DESC);
}

/* The kernel ends one of the disk's requests: all of it, a part, or with an error. */
static void end_request(unsigned which, unsigned how)
{
    if (uring_waiting_count == 0)
        return;
    uring_most = how % 4 == 0 ? 1 + how : 0;
    if (how % 4 == 1)
        uring_end(which % uring_waiting_count, how & 8 ? -EIO : how & 16 ? -EINTR : 0);
    else
        uring_end_well(which % uring_waiting_count);
    uring_most = 0;
    watched_ready(0);
}

/* A request that a disk can carry out, if the queue is as driver_queue() makes it. */
static void good_request(uint64_t window, unsigned which, uint32_t sector, unsigned head)
{
    static const uint8_t types[] = {BLK_IN, BLK_OUT, BLK_FLUSH, BLK_GET_ID, BLK_DISCARD, BLK_WRITE_ZEROES};
    const uint64_t header[2] = {types[which % sizeof types], sector % 70};
    struct test_queue q = {.window = window, .size = 8, .desc = 4096, .avail = 6144, .used = 6656};
    uint16_t write = which % sizeof types % 3 ? 0 : F_WRITE; /* the first and the fourth */

    q.avail_idx = ((const uint16_t *)(ram + q.avail))[1];
    head = head % 2 * 3;
    memcpy(ram + 0x8000 + 16 * head, header, sizeof header);
    put_desc(&q, head, 0x8000 + 16 * head, 16, F_NEXT, (uint16_t)(head + 1));
    put_desc(&q, head + 1, 0x9000, header[0] > BLK_GET_ID ? 16 : 512, F_NEXT | write, (uint16_t)(head + 2));
    put_desc(&q, head + 2, 0x8100, 1, F_WRITE, 0);
    offer(&q, (uint16_t)head);
    notify_queue(&q);
}

static void take(const struct step *s)
{
    uint64_t window = WINDOW(s->device % DEVICES);
    uint32_t value;

    memcpy(&value, s->value, 4);
    switch (s->kind % 10) {
    case 0:
        set_reg(window, s->offset * 2u, value);
        break;
    case 1:
        reg(window, s->offset * 2u);
        break;
    case 2: /* a driver that is on its way */
        drive(window, (uint64_t)(value & 3) << 28);
        break;
    case 3:
        set_reg(window, R_NOTIFY, s->offset % 2);
        break;
    case 4:
        typed_count = 1 + s->offset;
        typed_at = 0;
        console_has_news();
        break;
    case 5:
        end_request(s->offset, s->value[0]);
        break;
    case 6:
        good_request(window, s->offset, value, s->value[4]);
        break;
    default: /* in the rings, mostly */
        memcpy(ram +
                   (value & 1 ? 4096 + (s->device << 8 | s->offset) % 8192u : (value * 97u) % (RAM_SIZE - 8)),
               s->value, 5);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct step s;

    begin();
    for (; size >= sizeof s; data += sizeof s, size -= sizeof s) {
        memcpy(&s, data, sizeof s);
        take(&s);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        drive(WINDOW(i), 0);
        if (reg(WINDOW(i), R_STATUS) != READY_STATUS)
            abort();
    }
    machine_free();
    return 0;
}
