/* The machine around a virtio device under test. */
#include "tests/unit/virtio_host.h"

struct vm *machine;
uint8_t *ram;
int line_level[24], line_edges[24];
char printed[64 * 1024], complaint[512];
size_t printed_size;
unsigned complaints, typed_at, typed_count, stops_after;
int typed[4096];
uint16_t window_columns, window_rows;

static struct {
    void (*ready)(struct vm *vm, void *dev);
    void *dev;
} console;

int complain(int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(complaint, sizeof complaint, format, args);
    va_end(args);
    complaints++;
    return err;
}

bool vm_stopping(struct vm *vm)
{
    (void)vm;
    stops_after -= stops_after > 1;
    return stops_after == 1;
}

uint64_t host_now(void)
{
    return 0;
}

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < RAM_SIZE && size <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

void irq_set_line(struct vm *vm, unsigned line, int level)
{
    (void)vm;
    assert_true(line < 24);
    line_edges[line] += level && !line_level[line];
    line_level[line] = level;
}

void vm_output(struct vm *vm, const void *data, size_t size)
{
    (void)vm;
    if (size > sizeof printed - printed_size)
        printed_size = 0; /* nobody looks at so much */
    memcpy(printed + printed_size, data, size < sizeof printed ? size : 0);
    printed_size += size < sizeof printed ? size : 0;
}

void *vm_new_device_state(struct vm *vm, const char *name, size_t size)
{
    void *state = calloc(1, size);

    assert_non_null(state);
    assert_true(vm->state_count < COUNT(vm->states));
    vm->states[vm->state_count++] = (struct device_state){name, state, size};
    return state;
}

void *vm_new_device(struct vm *vm, size_t size)
{
    return vm_new_device_state(vm, NULL, size);
}

int vm_append_cmdline(struct vm *vm, const char *words)
{
    strcat(strcat(vm->cmdline, " "), words);
    return 0;
}

void console_offer(struct vm *vm, void (*ready)(struct vm *vm, void *dev), void *dev)
{
    (void)vm;
    console.ready = ready;
    console.dev = dev;
}

void console_withdraw(struct vm *vm, void *dev)
{
    (void)vm;
    if (console.dev == dev)
        console.dev = NULL;
}

bool console_waiting(struct vm *vm, void *dev)
{
    (void)vm;
    return console.dev == dev && typed_at < typed_count;
}

int console_next(struct vm *vm, void *dev)
{
    return console_waiting(vm, dev) ? typed[typed_at++] : CONSOLE_EMPTY;
}

void console_size(uint16_t *columns, uint16_t *rows)
{
    *columns = window_columns;
    *rows = window_rows;
}

void console_has_news(void)
{
    if (console.dev)
        console.ready(machine, console.dev);
}

void machine_new(void)
{
    machine = calloc(1, sizeof *machine);
    ram = memset(aligned_alloc(4096, RAM_SIZE), 0, RAM_SIZE); /* pages, for write_watch.h */
    pthread_mutex_init(&machine->lock, NULL);
    machine->ports.kind = "port";
    machine->mmio.kind = "address";
    machine->irqchip = true;
    memset(line_level, 0, sizeof line_level);
    memset(line_edges, 0, sizeof line_edges);
    memset(&console, 0, sizeof console);
    printed_size = complaints = typed_at = typed_count = stops_after = 0;
    *complaint = 0;
    window_columns = 80;
    window_rows = 25;
    for (struct feature **f = __start_features; f < __stop_features; f++)
        if ((*f)->attach)
            assert_int_equal((*f)->attach(machine), 0);
}

void machine_free(void)
{
    for (struct feature **f = __start_features; f < __stop_features; f++)
        if ((*f)->ended)
            (*f)->ended(machine);
    for (unsigned i = 0; i < machine->state_count; i++)
        free(machine->states[i].state);
    free(machine);
    free(ram);
}

uint32_t reg(uint64_t window, unsigned offset)
{
    uint32_t value = 0x5a5a5a5a;

    bus_access(&machine->mmio, (struct access){machine, NULL, window + offset, &value, 4, 1, false});
    return value;
}

void set_reg(uint64_t window, unsigned offset, uint32_t value)
{
    bus_access(&machine->mmio, (struct access){machine, NULL, window + offset, &value, 4, 1, true});
}

void driver_begin(uint64_t window, uint64_t features)
{
    features |= VIRTIO_F_VERSION_1;
    set_reg(window, R_STATUS, 0);
    set_reg(window, R_STATUS, 1);
    set_reg(window, R_STATUS, 3);
    for (unsigned half = 0; half < 2; half++) {
        set_reg(window, R_DRIVER_FEATURES_SEL, half);
        set_reg(window, R_DRIVER_FEATURES, (uint32_t)(features >> 32 * half));
    }
    set_reg(window, R_STATUS, 11);
}

struct test_queue driver_queue(uint64_t window, unsigned index, uint16_t size, bool event_idx)
{
    uint64_t base = 4096ul * (index + 1);
    struct test_queue q = {window, index, size, 0, 0, base, base + 2048, base + 2048 + 512, event_idx};

    memset(ram + base, 0, 4096);
    set_reg(window, R_QUEUE_SEL, index);
    set_reg(window, R_QUEUE_SIZE, size);
    set_reg(window, R_DESC, (uint32_t)q.desc);
    set_reg(window, R_DESC + 4, 0);
    set_reg(window, R_AVAIL, (uint32_t)q.avail);
    set_reg(window, R_AVAIL + 4, 0);
    set_reg(window, R_USED, (uint32_t)q.used);
    set_reg(window, R_USED + 4, 0);
    set_reg(window, R_QUEUE_READY, 1);
    return q;
}

void driver_ready(uint64_t window)
{
    set_reg(window, R_STATUS, READY_STATUS);
}

void put_desc_at(uint64_t table, unsigned n, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
    uint8_t *at = ram + table + 16ul * n;

    memcpy(at, &gpa, 8);
    memcpy(at + 8, &len, 4);
    memcpy(at + 12, &flags, 2);
    memcpy(at + 14, &next, 2);
}

void put_desc(const struct test_queue *q, unsigned n, uint64_t gpa, uint32_t len, uint16_t flags,
              uint16_t next)
{
    put_desc_at(q->desc, n, gpa, len, flags, next);
}

void offer(struct test_queue *q, uint16_t head)
{
    uint16_t *avail = (uint16_t *)(ram + q->avail);

    avail[2 + q->avail_idx % q->size] = head;
    avail[1] = ++q->avail_idx;
}

void notify_queue(const struct test_queue *q)
{
    set_reg(q->window, R_NOTIFY, q->index);
}

uint16_t used_index(const struct test_queue *q)
{
    return ((const uint16_t *)(ram + q->used))[1];
}

bool take_used(struct test_queue *q, uint32_t *id, uint32_t *len)
{
    if (used_index(q) == q->used_idx)
        return false;
    const uint32_t *entry = (const uint32_t *)(ram + q->used + 4) + 2 * (q->used_idx % q->size);
    *id = entry[0];
    *len = entry[1];
    q->used_idx++;
    return true;
}
