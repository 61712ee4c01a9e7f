/*
 * Virtio devices whose registers lie in memory (virtio 1.2 §4.2, version 2 only): finding them by the words
 * virtio_mmio.device=SIZE@ADDRESS:LINE of the command line, agreeing with them on features, giving them to
 * their drivers, and their interrupts.
 */
#include "boot.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "init.h"
#include "irq.h"
#include "paging.h"
#include "printk.h"
#include "virtqueue.h"

/* Registers (§4.2.2). */
#define MAGIC               0x000
#define VERSION             0x004
#define DEVICE_ID           0x008
#define DEVICE_FEATURES     0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES     0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL           0x030
#define QUEUE_NUM_MAX       0x034
#define QUEUE_NUM           0x038
#define QUEUE_READY         0x044
#define QUEUE_NOTIFY        0x050
#define INTERRUPT_STATUS    0x060
#define INTERRUPT_ACK       0x064
#define STATUS              0x070
#define QUEUE_DESC          0x080
#define QUEUE_DRIVER        0x090
#define QUEUE_DEVICE        0x0a0
#define CONFIG_GENERATION   0x0fc
#define CONFIG              0x100

#define MAGIC_VALUE    0x74726976 /* "virt" */
#define VERSION_MODERN 2

/* Device status (§2.1). */
#define ACKNOWLEDGE 1
#define DRIVER      2
#define DRIVER_OK   4
#define FEATURES_OK 8
#define NEEDS_RESET 64
#define FAILED      128

#define INTERRUPT_USED   1
#define INTERRUPT_CONFIG 2

#define RESET_NS     NS_PER_SECOND /* a device that takes longer is broken */
#define CONFIG_TRIES 100

extern const struct virtio_driver __start_virtio_drivers[], __stop_virtio_drivers[];

static uint32_t read_register(const struct virtio_device *device, unsigned offset)
{
    return *(volatile uint32_t *)(device->registers + offset);
}

static void write_register(const struct virtio_device *device, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(device->registers + offset) = value;
}

static void add_status(const struct virtio_device *device, uint32_t bits)
{
    write_register(device, STATUS, read_register(device, STATUS) | bits);
}

/* --- the end of a device --- */

/* After this the device uses none of our memory (§2.4). Returns 0 or -EIO. */
static int reset(const struct virtio_device *device)
{
    uint64_t start = clock_ns();

    write_register(device, STATUS, 0);
    while (read_register(device, STATUS) != 0) {
        if (clock_ns() - start > RESET_NS)
            return -EIO;
        cpu_relax();
    }
    return 0;
}

void virtio_fail(struct virtio_device *device, const char *why)
{
    if (device->failure)
        return;
    device->failure = why;
    reset(device);
    write_register(device, STATUS, FAILED);
}

/* Without warn(), whose lock may be held: this can happen while a message is printed. */
void virtio_tell_failure(struct virtio_device *device)
{
    char line[160];

    if (!device->failure || __atomic_exchange_n(&device->failure_told, true, __ATOMIC_ACQ_REL))
        return;
    if (device->driver->failed)
        device->driver->failed(device);
    int n = format(line, sizeof(line), "%s: not used any more: it %s\r\n", device->name, device->failure);
    console_write(line, MIN((size_t)n, sizeof(line) - 1));
}

/* --- configuration --- */

static void read_fields(const volatile char *from, unsigned width, unsigned count, void *to)
{
    for (unsigned i = 0; i < count; i++) { /* each by an access of its own width (§4.2.2.2) */
        if (width == 4)
            ((uint32_t *)to)[i] = ((const volatile uint32_t *)from)[i];
        else if (width == 2)
            ((uint16_t *)to)[i] = ((const volatile uint16_t *)from)[i];
        else
            ((uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
    }
}

void virtio_config_read(struct virtio_device *device, unsigned offset, unsigned width, unsigned count,
                        void *to)
{
    for (int i = 0; i < CONFIG_TRIES; i++) {
        uint32_t generation = read_register(device, CONFIG_GENERATION);
        read_fields(device->registers + CONFIG + offset, width, count, to);
        if (read_register(device, CONFIG_GENERATION) == generation)
            return;
    }
    virtio_fail(device, "never stops changing its configuration");
}

void virtio_config_write(struct virtio_device *device, unsigned offset, uint32_t value)
{
    write_register(device, CONFIG + offset, value);
}

/* --- queues --- */

unsigned virtio_queue_size(struct virtio_device *device, unsigned number)
{
    write_register(device, QUEUE_SEL, number);
    return read_register(device, QUEUE_NUM_MAX);
}

static void write_address(const struct virtio_device *device, unsigned offset, const void *at)
{
    write_register(device, offset, virt_to_phys(at));
    write_register(device, offset + 4, virt_to_phys(at) >> 32);
}

void virtio_queue_enable(struct virtqueue *queue)
{
    struct virtio_device *device = queue->device;

    write_register(device, QUEUE_SEL, queue->number);
    write_register(device, QUEUE_NUM, queue->size);
    write_address(device, QUEUE_DESC, queue->descriptors);
    write_address(device, QUEUE_DRIVER, queue->available);
    write_address(device, QUEUE_DEVICE, queue->used);
    write_register(device, QUEUE_READY, 1);
}

void virtio_notify(struct virtqueue *queue)
{
    write_register(queue->device, QUEUE_NOTIFY, queue->number);
}

/* --- interrupts --- */

static void queues_used(struct virtio_device *device)
{
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        if (device->queues[i] && device->queues[i]->interrupt)
            device->queues[i]->interrupt(device->queues[i]);
}

static void config_changed(struct virtio_device *device)
{
    if (read_register(device, STATUS) & NEEDS_RESET)
        virtio_fail(device, "says that it has failed and needs a reset");
    else if (device->driver->config_changed)
        device->driver->config_changed(device);
}

/*
 * The line is edge-triggered: it falls with the acknowledgement, so that whatever happens after that raises
 * it anew, and what happened before is found because we look afterwards.
 */
static void interrupt(void *arg)
{
    struct virtio_device *device = arg;
    uint32_t status = read_register(device, INTERRUPT_STATUS);

    if (status)
        write_register(device, INTERRUPT_ACK, status);
    if (device->failure)
        return;
    if (status & INTERRUPT_CONFIG)
        config_changed(device);
    if (status & INTERRUPT_USED)
        queues_used(device);
    virtio_tell_failure(device);
}

/* --- starting a device --- */

static uint64_t offered_features(const struct virtio_device *device)
{
    write_register(device, DEVICE_FEATURES_SEL, 1);
    uint64_t high = read_register(device, DEVICE_FEATURES);
    write_register(device, DEVICE_FEATURES_SEL, 0);
    return high << 32 | read_register(device, DEVICE_FEATURES);
}

/* §3.1.1, steps 4 to 6. */
static int agree_on_features(struct virtio_device *device)
{
    uint64_t ours = VIRTIO_F_VERSION_1 | virtqueue_features() | device->driver->features;

    device->features = offered_features(device) & ours;
    if (!virtio_has(device, VIRTIO_F_VERSION_1)) {
        virtio_fail(device, "is not of virtio 1.0 or later");
        return -ENODEV;
    }
    write_register(device, DRIVER_FEATURES_SEL, 0);
    write_register(device, DRIVER_FEATURES, device->features);
    write_register(device, DRIVER_FEATURES_SEL, 1);
    write_register(device, DRIVER_FEATURES, device->features >> 32);
    add_status(device, FEATURES_OK);
    if (!(read_register(device, STATUS) & FEATURES_OK)) {
        virtio_fail(device, "does not agree to the features that it offered");
        return -ENODEV;
    }
    return 0;
}

void virtio_ready(struct virtio_device *device)
{
    add_status(device, DRIVER_OK);
}

static int begin(struct virtio_device *device, unsigned line)
{
    if (reset(device) != 0) {
        virtio_fail(device, "takes too long to reset");
        return -EIO;
    }
    add_status(device, ACKNOWLEDGE);
    add_status(device, DRIVER);
    int error = agree_on_features(device);
    if (!error)
        error = irq_claim(line, interrupt, device);
    if (!error)
        error = device->driver->probe(device);
    return error;
}

static const struct virtio_driver *driver_for(uint32_t id)
{
    for (const struct virtio_driver *d = __start_virtio_drivers; d < __stop_virtio_drivers; d++)
        if (d->id == id)
            return d;
    return NULL;
}

static void start(const struct virtio_driver *driver, volatile char *registers, uint64_t address,
                  unsigned line)
{
    struct virtio_device *device = kmalloc(sizeof(*device));

    if (!device)
        return;
    device->driver = driver;
    device->registers = registers;
    format(device->name, sizeof(device->name), "%s at 0x%lx", driver->name, address);
    int error = begin(device, line);
    if (error)
        virtio_fail(device, error == -ENOMEM  ? "needs more memory than there is"
                            : error == -EBUSY ? "shares its interrupt line"
                                              : "could not be started");
    else
        printk("%s, interrupt line %u\r\n", device->name, line);
    virtio_tell_failure(device);
}

static void look_at(uint64_t address, unsigned line)
{
    struct virtio_device device = {.registers = map_device(address, PAGE_SIZE)};

    if (!device.registers || read_register(&device, MAGIC) != MAGIC_VALUE) {
        warn("virtio: no device at 0x%lx\r\n", address);
        return;
    }
    if (read_register(&device, VERSION) != VERSION_MODERN) {
        warn("virtio: the device at 0x%lx is of version %u, not %u; QEMU needs -global "
             "virtio-mmio.force-legacy=false\r\n",
             address, read_register(&device, VERSION), VERSION_MODERN);
        return;
    }
    const struct virtio_driver *driver = driver_for(read_register(&device, DEVICE_ID));
    if (driver) /* else nobody here knows it, or the place is empty (kind 0): both are no fault */
        start(driver, device.registers, address, line);
}

/* --- the command line --- */

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* small */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10u : UINT32_MAX;
}

/* Read a number as in C, decimal or with 0x, and go behind it. */
static uint64_t parse_number(const char **at)
{
    uint64_t value = 0;
    unsigned base = (*at)[0] == '0' && (*at)[1] == 'x' ? 16 : 10;

    for (*at += base == 16 ? 2 : 0; digit_value(**at) < base; (*at)++)
        value = value * base + digit_value(**at);
    return value;
}

/* SIZE@ADDRESS:LINE, as Linux reads it (Documentation/admin-guide/kernel-parameters.txt). The size does not
 * matter: the registers say what is there. */
static bool parse_device(const char *at, uint64_t *address, unsigned *line)
{
    parse_number(&at);
    if (*at == 'K' || *at == 'k')
        at++;
    if (*at++ != '@')
        return false;
    *address = parse_number(&at);
    if (*at++ != ':' || *address == 0 || *address % 4)
        return false;
    *line = parse_number(&at);
    return *at == 0 || *at == ' ' || *at == ':';
}

static void virtio_init(void)
{
    const char *word;

    for (unsigned n = 0; (word = boot_option("virtio_mmio.device", n)); n++) {
        uint64_t address;
        unsigned line;
        if (parse_device(word, &address, &line))
            look_at(address, line);
        else
            warn("virtio_mmio.device=%.24s is not of the form SIZE@ADDRESS:LINE\r\n", word);
    }
}

INIT(INIT_DRIVERS, virtio_init);
