/* Lab 10: how Moss tells its events: what is in the ring, and when that costs an exit. */
/* sources: guestos/kernel/trace.c tests/unit/moss_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "expect.h"
#define timespec moss_timespec /* the host has its own */
#define timeval  moss_timeval
#include "guestos/include/process.h"
#undef timespec
#undef timeval

#define EVENTS 256
#define RING   0x8000 /* physical */

/* As in the hypervisor's inspect/trace_guest.c. */
struct event {
    uint64_t begin, end;
    uint32_t kind, task;
    uint64_t addr, value;
    char name[24];
};

struct ring {
    uint32_t head, tail, unused[14];
    struct event events[EVENTS];
};

extern const struct init_call __start_inits[];

void (*trap_watcher)(const struct trapframe *frame, const struct trap_began *began);
void (*switch_watcher)(const struct thread *before, const struct thread *next);

static struct process sh = {.pid = 7, .name = "sh"}, cat = {.pid = 8, .name = "cat"};
static struct thread sh_thread = {.process = &sh}, cat_thread = {.process = &cat}, idle = {.name = "idle"};
static bool listens, empties;
static unsigned exits, warnings;
static uint32_t told_page;
static struct ring *ring;

/* The time-stamp counter. */
uint64_t host_tsc(void)
{
    static uint64_t now = 1000;

    return now++;
}

bool boot_flag(const char *word)
{
    return strcmp(word, "trace") == 0;
}

uint8_t in8(uint16_t port)
{
    assert_int_equal(port, 0xe4);
    return listens ? 0x54 : 0xff;
}

/* The hypervisor: notes the page, or empties the ring. */
void out32(uint16_t port, uint32_t value)
{
    assert_int_equal(port, 0xe4);
    exits++;
    if (value)
        told_page = value;
    else if (empties)
        ring->tail = ring->head;
}

uint64_t frames_alloc_together(uint64_t count)
{
    assert_true(count * PAGE_SIZE >= sizeof(struct ring));
    return RING;
}

void syscall_name(uint64_t number, char *to, size_t size)
{
    snprintf(to, size, "call%u", (unsigned)number);
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = vsnprintf(to, size, fmt, args);
    va_end(args);
    return length;
}

size_t strcopy(char *to, const char *from, size_t size)
{
    return (size_t)snprintf(to, size, "%s", from);
}

void warn(const char *fmt, ...)
{
    (void)fmt;
    warnings++;
}

static void start(void)
{
    cpu_host_begin();
    cpu_host_be(0);
    cpus[0].current = &sh_thread;
    listens = empties = true;
    exits = warnings = 0;
    trap_watcher = NULL;
    __start_inits[0].call();
}

static void trap(uint64_t vector, uint64_t error)
{
    const struct trapframe frame = {.rax = (uint64_t)-2, .rip = 0x1234};

    trap_watcher(&frame, &(struct trap_began){.vector = vector, .error = error, .cr2 = 0x5678, .tsc = 5});
}

/* A system call of the current thread's. */
static void call(uint64_t number)
{
    trap(SYSCALL_VECTOR, number);
}

static const struct event *event(uint32_t number)
{
    return &ring->events[number % EVENTS];
}

static void an_event_is_a_few_stores(void **state)
{
    (void)state;
    start();
    call(1);
    call(2);
    expect_number(exits, 1, "one exit says where the ring is, ...");
    expect_number(told_page, RING / PAGE_SIZE, "... by the number of its first page");
    expect_number(ring->head, 3, "two calls and the name of their process");
    expect_number(event(0)->kind * 100 + event(0)->task, 607, "kind 6 names process 7");
    expect_text(event(0)->name, "sh", "before its first event");
    expect_number(event(1)->kind * 100 + event(1)->task, 207, "kind 2 is a system call of process 7");
    expect_text(event(1)->name, "call1", "its name");
    expect_number(event(1)->value, (uint64_t)-2, "its result");
    expect_true(event(1)->begin == 5 && event(1)->end > 5, "from the moment that it began to now");
}

static void a_full_ring_is_one_exit(void **state)
{
    (void)state;
    start();
    call(1); /* makes the ring */
    ring->tail = ring->head;
    exits = 0;
    for (int i = 0; i < 10 * EVENTS; i++)
        call(1);
    expect_number(exits, 10, "256 events each");
    empties = false;
    uint32_t head = ring->head;
    for (int i = 0; i < EVENTS + 10; i++)
        call(3);
    expect_number(ring->head, head + EVENTS + 10,
                  "where nobody empties it, the oldest are overwritten: the kernel goes on");
}

static void a_process_is_named_when_it_is_another_or_has_another_program(void **state)
{
    (void)state;
    start();
    call(1);
    uint32_t head = ring->head;
    cpus[0].current = &cat_thread;
    call(1);
    call(1);
    expect_number(ring->head, head + 3, "a name and two calls");
    expect_text(event(head)->name, "cat", "the name of the other");
    strcpy(cat.name, "wc");
    call(59);
    expect_text(event(head + 3)->name, "wc", "execve: the same process has another name");
    strcpy(cat.name, "cat");
}

static void a_switch_tells_who_had_the_cpu(void **state)
{
    (void)state;
    start();
    switch_watcher(&sh_thread, &idle);
    uint64_t then = event(ring->head - 1)->end;
    switch_watcher(&idle, &sh_thread);
    const struct event *last = event(ring->head - 1);
    expect_text(last->name, "idle", "the thread that gives it up, ...");
    expect_number(last->kind * 100 + last->task, 300, "... of no process");
    expect_true(last->begin >= then && last->end >= last->begin, "since the switch before");
}

static void interrupts_have_names(void **state)
{
    (void)state;
    start();
    trap(TIMER_VECTOR, 0);
    expect_text(event(ring->head - 1)->name, "timer", "the tick");
    trap(IRQ_VECTOR + 4, 0);
    expect_text(event(ring->head - 1)->name, "line 4", "a device's line");
    expect_number(event(ring->head - 1)->kind, 5, "both are interrupts");
    trap(6, 0);
    expect_text(event(ring->head - 1)->name, "exception 6", "what is none");
    expect_number(event(ring->head - 1)->addr, 0x1234, "where");
    trap(TRAP_PAGE_FAULT, 6);
    expect_text(event(ring->head - 1)->name, "page fault", "the fault that has an address");
    expect_number(event(ring->head - 1)->addr, 0x5678, "what CR2 was when it began");
}

static void where_nobody_listens_it_says_so_and_is_silent(void **state)
{
    (void)state;
    start();
    trap_watcher = NULL;
    switch_watcher = NULL;
    listens = false;
    __start_inits[0].call();
    expect_number(warnings, 1, "a person asked for it and should know");
    expect_true(!trap_watcher && !switch_watcher, "nothing is watched");
}

static int make_ram(void **state)
{
    (void)state;
    moss_ram(0x20000);
    ring = (struct ring *)(DIRECT_BASE + RING);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_few_stores),
        cmocka_unit_test(a_full_ring_is_one_exit),
        cmocka_unit_test(a_process_is_named_when_it_is_another_or_has_another_program),
        cmocka_unit_test(a_switch_tells_who_had_the_cpu),
        cmocka_unit_test(interrupts_have_names),
        cmocka_unit_test(where_nobody_listens_it_says_so_and_is_silent),
    };

    return cmocka_run_group_tests(tests, make_ram, NULL);
}
