/* Fuzz the disk and the console: any memory, any registers, any rings. The machine must go on, and a reset
 * must heal it. */
/* sources: tests/unit/virtio_host.c hypervisor/bus.c hypervisor/virtio/mmio.c hypervisor/virtio/queue.c */
/* sources: hypervisor/virtio/console.c hypervisor/virtio/blk.c hypervisor/virtio/rng.c */
#include <sys/mman.h>
#include <unistd.h>
#include "tests/unit/virtio_host.h"

#define DEVICES 3

static char disk_option[64];

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
    machine_new();
    close(fd);
}

static void take(const struct step *s)
{
    uint64_t window = WINDOW(s->device % DEVICES);
    uint32_t value;

    memcpy(&value, s->value, 4);
    switch (s->kind % 8) {
    case 0:
        set_reg(window, s->offset * 2u, value);
        break;
    case 1:
        reg(window, s->offset * 2u);
        break;
    case 2: /* a driver that is on its way */
        driver_begin(window, (uint64_t)(value & 3) << 28);
        for (unsigned i = 0; i < 2; i++)
            driver_queue(window, i, 8, false);
        driver_ready(window);
        break;
    case 3:
        set_reg(window, R_NOTIFY, s->offset % 2);
        break;
    case 4:
        typed_count = 1 + s->offset;
        typed_at = 0;
        console_has_news();
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
        driver_begin(WINDOW(i), 0);
        driver_queue(WINDOW(i), 0, 8, false);
        driver_ready(WINDOW(i));
        if (reg(WINDOW(i), R_STATUS) != READY_STATUS)
            abort();
    }
    machine_free();
    return 0;
}
