/* Moss's virtio console, against a simulated device: what a program's output costs, and that no byte is lost
 * either way. */
/* sources: guestos/drivers/virtio_console.c guestos/drivers/virtio_console_output.c tests/unit/moss_host.c */
#include <errno.h>
#include "tests/unit/moss_host.h"
#include "guestos/include/clock.h"
#include "guestos/include/console.h"
#include "guestos/include/frames.h"
#include "guestos/include/thread.h"
#include "guestos/include/virtqueue.h"

#define RAM          0x100000
#define QUEUE_SIZE   64
#define EMERG_WRITE  8 /* offset in the configuration (virtio 1.2 §5.3.4) */
#define BUFFERS_ROOM (16 * PAGE_SIZE)

extern const struct virtio_driver __start_virtio_drivers[];

/* A queue of the device: what was given and not used yet, first to last. */
struct given {
    struct virtqueue queue;
    struct virtqueue_buffer buffers[QUEUE_SIZE];
    void *tokens[QUEUE_SIZE];
    unsigned count;
    struct {
        void *token;
        uint32_t written;
    } used[QUEUE_SIZE];
    unsigned used_count;
    unsigned kicks;
    bool interrupts;
};

static struct given queues[2]; /* input, output */
static struct virtio_device device;
static const struct console *console;
static uint64_t ram_used, now;
static uint16_t screen_size[2]; /* columns, rows, in the configuration */
static unsigned told_rows, told_columns;
static char typed[20000];
static unsigned typed_size, typed_room;
static bool end_seen;
static char printed[400000];
static unsigned printed_size;
static char emergency[100], elsewhere[1000];
static unsigned emergency_size;
static bool device_works; /* while somebody waits, it uses a buffer from time to time */
static bool signal_comes; /* while somebody sleeps */
static unsigned sleeps;

/* --- the device --- */

/* Print the first buffer that was given for output. Returns false if there is none. */
static bool device_prints(void)
{
    struct given *q = &queues[1];

    if (q->count == 0)
        return false;
    memcpy(printed + printed_size, q->buffers[0].at, q->buffers[0].size);
    printed_size += q->buffers[0].size;
    q->used[q->used_count++].token = q->tokens[0];
    q->count--;
    memmove(q->buffers, q->buffers + 1, q->count * sizeof(q->buffers[0]));
    memmove(q->tokens, q->tokens + 1, q->count * sizeof(q->tokens[0]));
    if (q->interrupts && moss_locks_held() == 0) /* else they are off */
        q->queue.interrupt(&q->queue);
    return true;
}

/* Fill the first buffer for input. */
static void device_types(const char *bytes, uint32_t n)
{
    struct given *q = &queues[0];

    assert_true(q->count > 0);
    memcpy(q->buffers[0].at, bytes, n);
    q->used[q->used_count].token = q->tokens[0];
    q->used[q->used_count++].written = n;
    q->count--;
    memmove(q->buffers, q->buffers + 1, q->count * sizeof(q->buffers[0]));
    memmove(q->tokens, q->tokens + 1, q->count * sizeof(q->tokens[0]));
    if (q->interrupts && moss_locks_held() == 0) /* else they are off */
        q->queue.interrupt(&q->queue);
}

/* --- the kernel around it --- */

static struct given *of(struct virtqueue *queue)
{
    return &queues[queue->number];
}

struct virtqueue *virtqueue_create(struct virtio_device *d, unsigned number,
                                   void (*interrupt)(struct virtqueue *))
{
    queues[number].queue =
        (struct virtqueue){.device = d, .number = number, .size = QUEUE_SIZE, .interrupt = interrupt};
    return &queues[number].queue;
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_buffer *buffers, unsigned out, unsigned in,
                  void *token)
{
    struct given *q = of(queue);

    if (device.failure)
        return -EIO;
    assert_int_equal(out, queue->number == 1);
    assert_int_equal(in, queue->number == 0);
    assert_true(q->count < QUEUE_SIZE);
    q->buffers[q->count] = buffers[0];
    q->tokens[q->count++] = token;
    queue->in_flight++;
    return 0;
}

void virtqueue_kick(struct virtqueue *queue)
{
    of(queue)->kicks++;
}

void *virtqueue_take(struct virtqueue *queue, uint32_t *written)
{
    struct given *q = of(queue);

    if (q->used_count == 0 || device.failure)
        return NULL;
    void *token = q->used[0].token;
    *written = q->used[0].written;
    memmove(q->used, q->used + 1, --q->used_count * sizeof(q->used[0]));
    queue->in_flight--;
    return token;
}

void virtqueue_quiet(struct virtqueue *queue)
{
    of(queue)->interrupts = false;
}

bool virtqueue_listen(struct virtqueue *queue, uint16_t count)
{
    of(queue)->interrupts = true;
    return of(queue)->used_count >= count && !device.failure;
}

void virtio_ready(struct virtio_device *d)
{
    assert_int_equal(queues[0].kicks + queues[1].kicks, 0); /* not before this (virtio 1.2 §3.1.1) */
    assert_ptr_equal(d, &device);
}

void virtio_config_read(struct virtio_device *d, unsigned offset, unsigned width, unsigned count, void *to)
{
    (void)d;
    assert_int_equal(offset, 0);
    assert_int_equal(width, 2);
    memcpy(to, screen_size, width * count);
}

void virtio_config_write(struct virtio_device *d, unsigned offset, uint32_t value)
{
    (void)d;
    assert_int_equal(offset, EMERG_WRITE);
    emergency[emergency_size++] = value;
}

void virtio_tell_failure(struct virtio_device *d)
{
    assert_int_equal(moss_locks_held(), 0);
    if (!d->failure || d->failure_told)
        return;
    d->failure_told = true;
    __start_virtio_drivers[0].failed(d);
}

void console_register(const struct console *c)
{
    console = c;
    c->resume_input();
}

void console_unregister(const struct console *c)
{
    assert_ptr_equal(c, console);
    console = NULL;
}

void console_write(const char *bytes, size_t n)
{
    strncat(elsewhere, bytes, n);
}

bool console_input(int byte)
{
    if (typed_size == typed_room)
        return false;
    if (byte == CONSOLE_EOF)
        end_seen = true;
    else
        typed[typed_size++] = byte;
    return true;
}

void console_resized(unsigned rows, unsigned columns)
{
    told_rows = rows;
    told_columns = columns;
}

void *kmalloc(size_t size)
{
    void *at = phys_to_virt(ram_used);

    ram_used += (size + 15) / 16 * 16;
    assert_true(ram_used <= RAM);
    return memset(at, 0, size);
}

uint64_t frame_alloc(void)
{
    ram_used = (ram_used + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    return virt_to_phys(kmalloc(PAGE_SIZE));
}

uint64_t clock_ns(void)
{
    if (device_works)
        device_prints();
    return now += NS_PER_SECOND / 100;
}

void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    (void)queue;
    (void)deadline;
}

int wait_sleep(uint64_t deadline, bool interruptible)
{
    assert_true(deadline == NEVER && interruptible);
    assert_true(queues[1].interrupts); /* or nobody would wake us */
    assert_int_equal(moss_locks_held(), 0);
    sleeps++;
    if (signal_comes)
        return -EINTR;
    assert_true(device_prints() || device.failure);
    return 0;
}

void wait_finish(struct wait_queue *queue)
{
    (void)queue;
}

void wake_all(struct wait_queue *queue)
{
    (void)queue;
}

/* --- using it --- */

/* There is one driver and one console; each test goes on with them, with nothing on its way. */
static int begin(void **state)
{
    (void)state;
    if (!ram_used) {
        moss_ram(RAM);
        ram_used = 16;
        device.features = ~0ul;
        screen_size[0] = 80;
        screen_size[1] = 25;
        assert_int_equal(__start_virtio_drivers[0].probe(&device), 0);
    }
    typed_size = printed_size = sleeps = 0;
    typed_room = sizeof typed;
    end_seen = signal_comes = device_works = false;
    queues[0].kicks = queues[1].kicks = 0;
    return 0;
}

static void device_prints_all(void)
{
    while (device_prints())
        ;
}

/* Write n bytes as the terminal does, in chunks. */
static void program_writes(const char *bytes, size_t n)
{
    while (n) {
        size_t part = n < CONSOLE_CHUNK ? n : CONSOLE_CHUNK;
        assert_true(console->write_sleeping(bytes, part, n > part));
        bytes += part;
        n -= part;
    }
}

static void input_arrives_and_its_buffer_goes_back(void **state)
{
    unsigned supplied = queues[0].count;

    (void)state;
    assert_true(supplied > 1);
    device_types("hello", 5);
    assert_int_equal(typed_size, 5);
    assert_memory_equal(typed, "hello", 5);
    assert_int_equal(queues[0].count, supplied);
    assert_int_equal(queues[0].kicks, 1); /* the device may be waiting for it */
}

static void what_the_reader_refuses_waits(void **state)
{
    unsigned supplied = queues[0].count;

    (void)state;
    typed_room = 3;
    device_types("hello", 5);
    assert_int_equal(typed_size, 3);
    assert_int_equal(queues[0].count, supplied - 1); /* not given back: the sender must wait */
    assert_false(queues[0].interrupts);
    device_types(" you", 4);
    assert_int_equal(typed_size, 3);
    typed_room = sizeof typed;
    console->resume_input();
    assert_int_equal(typed_size, 9);
    assert_memory_equal(typed, "hello you", 9);
    assert_int_equal(queues[0].count, supplied);
    assert_true(queues[0].interrupts);
}

static void an_empty_buffer_is_the_end(void **state)
{
    (void)state;
    typed_room = 1;
    device_types("ab", 2);
    device_types("", 0);
    assert_false(end_seen); /* what came before it is not read yet */
    typed_room = sizeof typed;
    console->resume_input();
    assert_int_equal(typed_size, 2);
    assert_true(end_seen);
}

static void a_big_write_costs_one_notification(void **state)
{
    static char text[8000];

    (void)state;
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = i % 251;
    program_writes(text, sizeof text);
    assert_int_equal(queues[1].kicks, 1);
    assert_int_equal(queues[1].count, 2); /* buffers */
    device_prints_all();
    assert_int_equal(printed_size, sizeof text);
    assert_memory_equal(printed, text, sizeof text);
    assert_int_equal(sleeps, 0);
}

static void a_program_that_is_too_fast_sleeps(void **state)
{
    static char text[300000];

    (void)state;
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = moss_random();
    program_writes(text, sizeof text);
    assert_true(sleeps > 0);
    device_prints_all();
    assert_int_equal(printed_size, sizeof text);
    assert_memory_equal(printed, text, sizeof text);
    assert_true(queues[1].kicks < sizeof text / PAGE_SIZE); /* less than one for each buffer */
}

/* Write chunks until one has no room. Returns how many went well. */
static unsigned fill(void)
{
    static char chunk[CONSOLE_CHUNK];
    unsigned count = 0;

    signal_comes = true;
    while (console->write_sleeping(chunk, sizeof chunk, true))
        count++;
    return count;
}

static void a_signal_ends_the_wait_with_nothing_taken(void **state)
{
    (void)state;
    assert_int_equal(fill(), BUFFERS_ROOM / CONSOLE_CHUNK);
    assert_true(queues[1].kicks > 0); /* what others took is on its way, although more was promised */
    device_prints_all();
    assert_int_equal(printed_size, BUFFERS_ROOM);
}

static void a_message_waits_a_while_then_is_lost(void **state)
{
    uint64_t start;

    (void)state;
    fill();
    start = now;
    console->write("lost", 4);
    assert_in_range(now - start, NS_PER_SECOND / 2, 3 * NS_PER_SECOND);
    start = now;
    console->write("lost", 4); /* once was enough */
    assert_in_range(now - start, 0, NS_PER_SECOND / 10);
    device_prints_all();
    console->write("there", 5);
    device_prints_all();
    assert_int_equal(printed_size, BUFFERS_ROOM + 5);
    assert_memory_equal(printed + BUFFERS_ROOM, "there", 5);
}

static void a_message_waits_for_a_slow_device(void **state)
{
    (void)state;
    fill();
    device_works = true;
    console->write("in time", 7);
    device_prints_all();
    assert_int_equal(printed_size, BUFFERS_ROOM + 7);
}

static void flush_returns_when_all_is_out(void **state)
{
    (void)state;
    device_works = true;
    console->write_sleeping("abc", 3, true);
    console->flush();
    assert_int_equal(printed_size, 3);
}

static void the_size_is_told(void **state)
{
    (void)state;
    assert_int_equal(told_rows, 25);
    assert_int_equal(told_columns, 80);
    screen_size[0] = 132;
    screen_size[1] = 40;
    __start_virtio_drivers[0].config_changed(&device);
    assert_int_equal(told_rows, 40);
    assert_int_equal(told_columns, 132);
}

static void a_second_console_is_refused(void **state)
{
    struct virtio_device other = {0};

    (void)state;
    assert_int_equal(__start_virtio_drivers[0].probe(&other), -EEXIST);
    __start_virtio_drivers[0].failed(&other); /* which the first survives */
    assert_non_null(console);
}

static void a_device_that_fails_is_replaced(void **state)
{
    (void)state;
    device.failure = "is made of cheese";
    assert_true(console->write_sleeping("abc", 3, false));
    assert_null(console);
    assert_string_equal(elsewhere, "abc");
}

static void a_panic_needs_no_ring_and_no_lock(void **state)
{
    (void)state;
    const struct console *gone = console;
    fill();
    gone->panic();
    gone->write("help", 4);
    assert_int_equal(emergency_size, 4);
    assert_memory_equal(emergency, "help", 4);
    device_works = false;
    gone->flush(); /* waits for nothing */
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

/* The last but one breaks the driver for good. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input_arrives_and_its_buffer_goes_back),
        TEST(what_the_reader_refuses_waits),
        TEST(an_empty_buffer_is_the_end),
        TEST(a_big_write_costs_one_notification),
        TEST(a_program_that_is_too_fast_sleeps),
        TEST(a_signal_ends_the_wait_with_nothing_taken),
        TEST(a_message_waits_a_while_then_is_lost),
        TEST(a_message_waits_for_a_slow_device),
        TEST(flush_returns_when_all_is_out),
        TEST(the_size_is_told),
        TEST(a_second_console_is_refused),
        TEST(a_panic_needs_no_ring_and_no_lock),
        TEST(a_device_that_fails_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
