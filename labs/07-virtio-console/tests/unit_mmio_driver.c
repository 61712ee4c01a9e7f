/* How Moss finds virtio-mmio devices and begins with them. The registers are plain memory: what is written
 * stays. */
/* sources: guestos/drivers/virtio_mmio.c tests/unit/moss_host.c */
#include <errno.h>
#include <stdbool.h>
#include "tests/unit/moss_host.h"
#include "guestos/include/clock.h"
#include "guestos/include/init.h"
#include "guestos/include/virtqueue.h"

/* Registers (virtio 1.2 §4.2.2). */
#define MAGIC            0x000
#define VERSION          0x004
#define KIND             0x008
#define FEATURES         0x010 /* of the device; here the same words for bits 0 to 31 and 32 to 63 */
#define DRIVER_FEATURES  0x020
#define QUEUE_NUM        0x038
#define QUEUE_READY      0x044
#define QUEUE_NOTIFY     0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACK    0x064
#define STATUS           0x070
#define QUEUE_DESC       0x080
#define CONFIG           0x100

#define OUR_KIND      42
#define RUNNING       15 /* ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK */
#define NEEDS_RESET   64
#define FAILED        128
#define USED_BUFFER   1
#define CONFIG_CHANGE 2

extern const struct init_call __start_inits[];

static uint32_t registers[0x200 / 4] __attribute__((aligned(4096)));
static const char *words[4]; /* values of virtio_mmio.device= on the command line */
static struct virtio_device *device;
static int probe_result;
static unsigned probes, failures, config_changes, line_claimed, interrupts;
static void (*handler)(void *arg);
static void *handler_arg;
static char messages[2000];
static uint64_t mapped, now;

static uint32_t *reg(unsigned offset)
{
    return &registers[offset / 4];
}

/* --- the kernel around it --- */

const char *boot_option(const char *name, unsigned n)
{
    assert_string_equal(name, "virtio_mmio.device");
    return n < 4 ? words[n] : NULL;
}

volatile void *map_device(uint64_t physical, size_t size)
{
    (void)size;
    mapped = physical;
    return registers;
}

int irq_claim(unsigned line, void (*h)(void *arg), void *arg)
{
    line_claimed = line;
    handler = h;
    handler_arg = arg;
    return 0;
}

void *kmalloc(size_t size)
{
    static char objects[4096] __attribute__((aligned(16)));
    static size_t used;

    used += (size + 15) / 16 * 16;
    assert_true(used <= sizeof objects);
    return objects + used - (size + 15) / 16 * 16;
}

uint64_t clock_ns(void)
{
    return now += NS_PER_SECOND / 10;
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(to, size, fmt, args);
    va_end(args);
    return n;
}

static void add_message(const char *fmt, va_list args)
{
    size_t used = strlen(messages);

    vsnprintf(messages + used, sizeof messages - used, fmt, args);
}

void printk(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_message(fmt, args);
    va_end(args);
}

void warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_message(fmt, args);
    va_end(args);
}

void console_write(const char *bytes, size_t n)
{
    strncat(messages, bytes, n);
}

uint64_t virtqueue_features(void)
{
    return 0;
}

/* --- a driver --- */

static int probe(struct virtio_device *d)
{
    device = d;
    probes++;
    if (probe_result == 0)
        virtio_ready(d);
    return probe_result;
}

static void config_changed(struct virtio_device *d)
{
    assert_ptr_equal(d, device);
    config_changes++;
}

static void failed(struct virtio_device *d)
{
    (void)d;
    failures++;
}

VIRTIO_DRIVER(test, .name = "virtio-test", .id = OUR_KIND, .features = 1, .probe = probe,
              .config_changed = config_changed, .failed = failed);

/* --- using it --- */

static int begin(void **state)
{
    (void)state;
    memset(registers, 0, sizeof registers);
    *reg(MAGIC) = 0x74726976;
    *reg(VERSION) = 2;
    *reg(KIND) = OUR_KIND;
    *reg(FEATURES) = 1; /* bit 0, and bit 32: VERSION_1 */
    memset(words, 0, sizeof words);
    words[0] = "512@0xfeb00e00:12 quiet";
    messages[0] = 0;
    device = NULL;
    handler = NULL;
    probe_result = 0;
    probes = failures = config_changes = interrupts = 0;
    return 0;
}

static void start(void)
{
    __start_inits[0].call();
}

static void interrupt(uint32_t status)
{
    *reg(INTERRUPT_STATUS) = status;
    handler(handler_arg);
}

static void expect_message(const char *part)
{
    if (!strstr(messages, part))
        fail_msg("no \"%s\" in \"%s\"", part, messages);
}

static void a_device_is_found_and_started(void **state)
{
    (void)state;
    start();
    assert_int_equal(probes, 1);
    assert_int_equal(mapped, 0xfeb00e00);
    assert_int_equal(line_claimed, 12);
    assert_int_equal(*reg(STATUS), RUNNING);
    assert_true(device->features == (1ul << 32 | 1));
    assert_int_equal(*reg(DRIVER_FEATURES), 1); /* the upper half, written last */
    expect_message("virtio-test at 0xfeb00e00, interrupt line 12");
}

static void words_may_have_other_forms(void **state)
{
    (void)state;
    words[0] = "4K@4273999872:7:3";
    start();
    assert_int_equal(mapped, 4273999872);
    assert_int_equal(line_claimed, 7);
    assert_int_equal(probes, 1);
}

static void words_that_make_no_sense_are_told(void **state)
{
    static const char *const wrong[] = {"",        "512",     "512@", "512@0xfeb00000", "512@0xfeb00000:5x",
                                        "512@2:5", "512@0:5", "@:"};

    (void)state;
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        messages[0] = 0;
        words[0] = wrong[i];
        start();
        expect_message("not of the form SIZE@ADDRESS:LINE");
    }
    assert_int_equal(probes, 0);
}

static void legacy_devices_are_refused(void **state)
{
    (void)state;
    *reg(VERSION) = 1;
    start();
    assert_int_equal(probes, 0);
    expect_message("force-legacy=false");
}

static void what_is_no_device_is_told(void **state)
{
    (void)state;
    *reg(MAGIC) = 0xffffffff;
    start();
    assert_int_equal(probes, 0);
    expect_message("no device at 0xfeb00e00");
}

static void empty_places_and_unknown_kinds_are_no_fault(void **state)
{
    (void)state;
    *reg(KIND) = 0;
    start();
    *reg(KIND) = 7;
    start();
    assert_int_equal(probes, 0);
    assert_string_equal(messages, "");
    assert_int_equal(*reg(STATUS), 0);
}

static void a_device_without_version_1_is_refused(void **state)
{
    (void)state;
    *reg(FEATURES) = 2;
    start();
    assert_int_equal(probes, 0);
    assert_int_equal(*reg(STATUS), FAILED);
    expect_message("is not of virtio 1.0 or later");
}

static void a_driver_that_gives_up_ends_the_device(void **state)
{
    (void)state;
    probe_result = -ENOMEM;
    start();
    assert_int_equal(*reg(STATUS), FAILED);
    expect_message("needs more memory");
}

static void queue_used(struct virtqueue *queue)
{
    (void)queue;
    interrupts++;
}

static void interrupts_are_acknowledged_and_passed_on(void **state)
{
    struct virtqueue queue = {.interrupt = queue_used};

    (void)state;
    start();
    device->queues[1] = &queue;
    interrupt(USED_BUFFER);
    assert_int_equal(*reg(INTERRUPT_ACK), USED_BUFFER);
    assert_int_equal(interrupts, 1);
    assert_int_equal(config_changes, 0);
    interrupt(CONFIG_CHANGE);
    assert_int_equal(*reg(INTERRUPT_ACK), CONFIG_CHANGE);
    assert_int_equal(interrupts, 1);
    assert_int_equal(config_changes, 1);
}

static void a_queue_is_described_to_the_device(void **state)
{
    struct virtqueue queue = {.number = 3, .size = 64};

    (void)state;
    start();
    queue.device = device;
    queue.descriptors = (void *)(DIRECT_BASE + 0x1234567000);
    queue.available = (void *)DIRECT_BASE;
    queue.used = (void *)DIRECT_BASE;
    virtio_queue_enable(&queue);
    assert_int_equal(*reg(QUEUE_NUM), 64);
    assert_int_equal(*reg(QUEUE_READY), 1);
    assert_int_equal(*reg(QUEUE_DESC), 0x34567000);
    assert_int_equal(*reg(QUEUE_DESC + 4), 0x12);
    virtio_notify(&queue);
    assert_int_equal(*reg(QUEUE_NOTIFY), 3);
}

static void a_device_that_needs_a_reset_is_given_up_once(void **state)
{
    (void)state;
    start();
    messages[0] = 0;
    *reg(STATUS) |= NEEDS_RESET;
    interrupt(CONFIG_CHANGE);
    assert_int_equal(*reg(STATUS), FAILED);
    assert_int_equal(failures, 1);
    assert_int_equal(config_changes, 0);
    expect_message("virtio-test at 0xfeb00e00: not used any more: it says that it has failed");
    messages[0] = 0;
    interrupt(CONFIG_CHANGE | USED_BUFFER);
    assert_int_equal(failures, 1);
    assert_string_equal(messages, "");
}

static void configuration_is_read(void **state)
{
    uint16_t fields[2];
    uint8_t byte;

    (void)state;
    start();
    *reg(CONFIG + 4) = 0x00190050;
    virtio_config_read(device, 4, 2, 2, fields);
    assert_int_equal(fields[0], 80);
    assert_int_equal(fields[1], 25);
    virtio_config_read(device, 6, 1, 1, &byte);
    assert_int_equal(byte, 25);
    virtio_config_write(device, 8, 'x');
    assert_int_equal(*reg(CONFIG + 8), 'x');
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_found_and_started),
        TEST(words_may_have_other_forms),
        TEST(words_that_make_no_sense_are_told),
        TEST(legacy_devices_are_refused),
        TEST(what_is_no_device_is_told),
        TEST(empty_places_and_unknown_kinds_are_no_fault),
        TEST(a_device_without_version_1_is_refused),
        TEST(a_driver_that_gives_up_ends_the_device),
        TEST(interrupts_are_acknowledged_and_passed_on),
        TEST(a_queue_is_described_to_the_device),
        TEST(a_device_that_needs_a_reset_is_given_up_once),
        TEST(configuration_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
