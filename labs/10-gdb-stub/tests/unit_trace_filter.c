/* Lab 10: the words of --trace-only. */
/* sources: hypervisor/inspect/trace_filter.c hypervisor/host.c */
#include "expect.h"
#include "inspect/trace.h"

const char *exit_reason_name(unsigned reason)
{
    return reason == KVM_EXIT_IO             ? "port I/O (KVM_EXIT_IO)"
           : reason == KVM_EXIT_MMIO         ? "memory-mapped I/O (KVM_EXIT_MMIO)"
           : reason == KVM_EXIT_SYSTEM_EVENT ? "system event (KVM_EXIT_SYSTEM_EVENT)"
                                             : "a reason without a name";
}

static struct vm vm = {
    .ports = {.count = 2,
              .claims = {{.base = 0x3f8, .size = 8, .name = "uart"},
                         {.base = 0xf4, .size = 4, .name = "exit"}}},
    .mmio = {.count = 1, .claims = {{.base = 0xd0000000, .size = 0x1000, .name = "virtio-blk"}}},
};
struct trace trace = {.vm = &vm};

static void parse(const char *words)
{
    trace.only = words;
    expect_number((uint64_t)trace_filter_check(), 0, words ?: "no --trace-only");
}

static bool wants(unsigned reason, uint64_t addr)
{
    return trace_wants(&(struct trace_event){.reason = reason, .addr = addr});
}

static bool wants_kind(enum trace_kind kind)
{
    return trace_wants(&(struct trace_event){.kind = kind});
}

static void without_words_everything_is_wanted(void **state)
{
    (void)state;
    parse(NULL);
    expect_true(wants(KVM_EXIT_IO, 0x80) && wants(KVM_EXIT_MMIO, 0) && wants(KVM_EXIT_HLT, 0), "every exit");
    expect_true(wants_kind(TRACE_CONSOLE) && wants_kind(TRACE_SYSCALL), "and every event");
}

static void a_reason_is_wanted_whatever_the_device(void **state)
{
    (void)state;
    parse("io");
    expect_true(wants(KVM_EXIT_IO, 0x3f8) && wants(KVM_EXIT_IO, 0x80), "all port I/O");
    expect_true(!wants(KVM_EXIT_MMIO, 0xd0000000), "no MMIO");
    expect_true(!wants_kind(TRACE_CONSOLE) && !wants_kind(TRACE_SYSCALL), "and no events of the guest");
    expect_true(!wants(KVM_EXIT_DEBUG, 0), "a part of a word is none");
    parse("exit,uart");
    expect_true(wants(KVM_EXIT_HLT, 0) && !wants_kind(TRACE_CONSOLE), "every exit, no event");
    parse("system-event");
    expect_true(wants(KVM_EXIT_SYSTEM_EVENT, 0), "KVM_EXIT_SYSTEM_EVENT is written system-event");
}

static void a_device_is_wanted_at_all_of_its_addresses(void **state)
{
    (void)state;
    parse("uart,virtio-blk");
    expect_true(wants(KVM_EXIT_IO, 0x3f8) && wants(KVM_EXIT_IO, 0x3ff), "its first and its last port");
    expect_true(!wants(KVM_EXIT_IO, 0x400) && !wants(KVM_EXIT_IO, 0xf4), "not its neighbours");
    expect_true(wants(KVM_EXIT_MMIO, 0xd0000fff) && !wants(KVM_EXIT_IO, 0xd0000000),
                "ports are no addresses");
    expect_true(!wants(KVM_EXIT_HLT, 0x3f8), "an exit without an address is of no device");
}

static void words_add_up(void **state)
{
    (void)state;
    parse("uart,mmio,syscall,console");
    expect_true(wants(KVM_EXIT_IO, 0x3f8) && wants(KVM_EXIT_MMIO, 0x1000) && !wants(KVM_EXIT_IO, 0xf4),
                "any word will do");
    expect_true(wants_kind(TRACE_SYSCALL) && wants_kind(TRACE_CONSOLE) && !wants_kind(TRACE_FAULT),
                "events beside exits");
}

static void a_word_that_means_nothing_is_refused(void **state)
{
    (void)state;
    for (const char *const *word = (const char *const[]){"uart2", "i", "io ", "exits", "io,,mmio", "", NULL};
         *word; word++) {
        trace.only = *word;
        expect_number((uint64_t)-trace_filter_check(), EINVAL, *word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_words_everything_is_wanted),
        cmocka_unit_test(a_reason_is_wanted_whatever_the_device),
        cmocka_unit_test(a_device_is_wanted_at_all_of_its_addresses),
        cmocka_unit_test(words_add_up),
        cmocka_unit_test(a_word_that_means_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
