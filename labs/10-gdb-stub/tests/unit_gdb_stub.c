/* Lab 10: the commands of the remote protocol, answered without a KVM. */
/* sources: hypervisor/inspect/gdb_packet.c hypervisor/inspect/gdb_stub.c hypervisor/inspect/gdb_data.c */
/* sources: hypervisor/inspect/gdb_target.c hypervisor/inspect/gdb_memory.c hypervisor/inspect/gdb_break.c */
/* sources: hypervisor/inspect/gdb_resume.c hypervisor/inspect/gdb_query.c */
/* sources: hypervisor/inspect/gdb_registers.c hypervisor/inspect/walk.c tests/unit/gdb_host.c */
/* sources: hypervisor/inspect/gdb_watch.c */
#include "expect.h"
#include "tests/unit/gdb_host.h"

static struct packet_reader reader;
static struct reply reply;
static char answer[PACKET_MAX + 1];
static bool resumed, hung_up, stops_at_once;

/* ---- What the commands lead to ---- */

bool run_resume(void)
{
    for (unsigned i = 0; i < HOST_CPUS; i++)
        if (!gdb.vcpus[i].held)
            break_plant(host_vm.vcpus[i], &host_registers[i].sregs);
    resumed = true;
    return !stops_at_once;
}

struct vcpu *run_stop(void)
{
    break_take_out(&host_vm);
    return NULL;
}

bool int3_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    (void)vcpu;
    (void)sregs;
    return true;
}

void faults_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs, bool wanted)
{
    (void)vcpu, (void)sregs, (void)wanted;
}

void int3_take_out(struct vm *vm)
{
    (void)vm;
}

void server_send(const struct reply *r)
{
    (void)r;
}

void server_hang_up(void)
{
    hung_up = true;
}

void monitor_command(char *line, FILE *out)
{
    fputs(line, out);
}

static int begin(void **state)
{
    (void)state;
    host_begin();
    resumed = hung_up = stops_at_once = false;
    return 0;
}

static const char *ask_bytes(const char *bytes, size_t size)
{
    memcpy(reader.data, bytes, size);
    reader.data[size] = 0;
    reader.size = size;
    if (!gdb_command(&reader, &reply))
        return NULL;
    memcpy(answer, reply.data, reply.size);
    answer[reply.size] = 0;
    return answer;
}

static const char *ask(const char *packet)
{
    return ask_bytes(packet, strlen(packet));
}

/* Ask, and compare the answer; NULL: none may come. */
static void expect_answer(const char *packet, const char *expected, const char *lesson)
{
    char whole[300];
    const char *got = ask(packet);

    snprintf(whole, sizeof whole, "asked %.60s%s: %s", packet, strlen(packet) > 60 ? "..." : "", lesson);
    if (expected)
        expect_text(got, expected, whole);
    else
        expect_text(got ?: "(nothing)", "(nothing)", whole);
}

static void expect_it_runs(const char *packet)
{
    expect_answer(packet, NULL, "the guest runs now, and the answer comes when it stops");
}

/* ---- Tests ---- */

static void what_is_not_known_gets_an_empty_answer(void **state)
{
    (void)state;
    expect_answer("vMustReplyEmpty", "", "gdb asks this to see that a stub plays by the rules");
    expect_answer("Zz", "", "a kind of breakpoint that nobody knows");
    expect_answer("", "", "an empty packet");
}

static void a_register_is_read_and_written(void **state)
{
    (void)state;
    host_registers[0].regs.rbx = 0x1122334455667788;
    expect_answer("p1", "8877665544332211", "register 1 is RBX, its low byte first");
    expect_answer("P1=0102030405060708", "OK", "the same form");
    expect_number(host_registers[0].regs.rbx, 0x0807060504030201, "KVM has the new value");
    expect_answer("P1=01", "E16", "a register needs all its bytes");
    expect_number(host_registers[0].regs.rbx, 0x0807060504030201, "the answer was E16: it stays as it was");
    expect_answer("P1=ffffffffffffffff00", "E16", "its bytes, and no more");
    expect_number(host_registers[0].regs.rbx, 0x0807060504030201,
                  "the answer was E16: then nothing may have changed, either");
    expect_answer("pffff", "E16", "there is no such register");
}

static void all_registers_come_in_one_answer(void **state)
{
    static char set[PACKET_MAX + 2];

    (void)state;
    host_registers[0].regs.rip = 0x400123;
    ask("g");
    expect_bytes(answer + 2 * 8 * 16, "2301400000000000", 16, "RIP follows the 16 general registers");
    snprintf(set, sizeof set, "G%s", answer);
    memcpy(set + 1, "ff00000000000000", 16);
    expect_answer(set, "OK", "what was read can be written");
    expect_number(host_registers[0].regs.rax, 0xff, "RAX comes first");
    expect_number(host_registers[0].regs.rip, 0x400123, "and the others are the same");
}

static void registers_are_those_of_the_chosen_thread(void **state)
{
    (void)state;
    host_registers[1].regs.rax = 1;
    expect_answer("Hg2", "OK", "thread 2 is vCPU 1");
    expect_answer("p0", "0100000000000000", "its RAX");
    expect_answer("Hg3", "E16", "there are two vCPUs");
    expect_answer("T2", "OK", "thread 2 is alive");
    expect_answer("T3", "E16", "thread 3 is not");
    expect_answer("qfThreadInfo", "m1,2", "all threads");
    expect_answer("qsThreadInfo", "l", "and no more");
    expect_true(gdb.vcpu == host_vm.vcpus[1], "the current one is still thread 2");
}

static void memory_is_read_and_written(void **state)
{
    (void)state;
    memcpy(host_code(CODE_GVA), "\x48\x89\xe5", 3);
    expect_answer("m400000,3", "4889e5", "through the page tables");
    expect_answer("M400001,2:abcd", "OK", "written");
    expect_bytes(host_code(CODE_GVA), "\x48\xab\xcd", 3, "there it is");
    expect_answer("m500000,4", "E0e", "nothing is mapped there: an error (14, EFAULT), not zeros");
    expect_answer("m402ffe,4", "00000000", "the next page is mapped, too");
    expect_answer("m403ffe,4", "0000", "only what is there");
    expect_answer("M403ffe,4:01020304", "E0e", "a write that cannot be done wholly is an error");
    expect_answer("M400000,3:01", "E16", "fewer bytes than promised");
    expect_answer("m400000", "E16", "no length");
}

static void a_long_read_is_answered_in_part(void **state)
{
    (void)state;
    for (unsigned page = 0; page < 512; page++) /* so that there is more to read than any buffer holds */
        ((uint64_t *)host_ram)[0x4000 / 8 + page] = 0x8003;
    ask("m400000,7fffffff");
    expect_number(reply.size, PACKET_MAX, "gdb may ask for more than fits; it asks again for the rest");
    expect_answer("m400000,0", "", "nothing of nothing is no error");
}

static void binary_memory_has_any_bytes(void **state)
{
    (void)state;
    expect_text(ask_bytes("X400000,3:\0#}", 13), "OK", "bytes as they are, also zero");
    expect_bytes(host_code(CODE_GVA), "\0#}", 3, "there they are");
    expect_answer("X400000,0:", "OK", "gdb asks with no bytes whether the command is known");
}

static void physical_memory_can_be_read(void **state)
{
    (void)state;
    memcpy(host_ram + 0x8000, "ab", 2);
    expect_answer("Qqemu.PhyMemMode:1", "OK", "from now on addresses are physical");
    expect_answer("m8000,2", "6162", "no page table is looked at");
    expect_answer("Qqemu.PhyMemMode:0", "OK", "and taken back");
    expect_answer("m8000,2", "E0e", "virtual 0x8000 is not mapped");
}

static void a_breakpoint_is_there_only_while_the_guest_runs(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    memcpy(host_code(CODE_GVA), "\x55\x90", 2);
    expect_answer("Z0,400000,1", "OK", "a software breakpoint");
    expect_answer("m400000,2", "5590", "memory is the guest's own");
    expect_it_runs("vCont;c");
    expect_bytes(host_code(CODE_GVA), "\xcc\x90", 2, "INT3 is planted while vCPUs run");
    run_stop();
    gdb.running = false;
    expect_bytes(host_code(CODE_GVA), "\x55\x90", 2, "and taken out when they stand");
    expect_answer("z0,400000,1", "OK", "gdb takes it back");
    ask("vCont;c");
    expect_bytes(host_code(CODE_GVA), "\x55\x90", 2, "it is gone");
}

static void a_breakpoint_comes_back_after_each_stop(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    *host_code(CODE_GVA) = 0x55;
    ask("Z0,400000,1");
    for (int i = 0; i < 3; i++) {
        gdb.running = false;
        ask("vCont;c");
        expect_number(*host_code(CODE_GVA), 0xcc, "INT3 is planted each time that the guest runs");
        run_stop();
        expect_number(*host_code(CODE_GVA), 0x55, "and taken out each time that it stops");
    }
}

static void a_byte_that_the_guest_has_written_is_its_own(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    ask("Z0,400000,1");
    ask("vCont;c");
    expect_number(*host_code(CODE_GVA), 0xcc, "INT3 is planted");
    *host_code(CODE_GVA) = 0x77;
    run_stop();
    expect_number(*host_code(CODE_GVA), 0x77, "the guest loaded new code there: it must stay");
}

static void two_breakpoints_on_one_byte(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    *host_code(CODE_GVA) = 0x55;
    ((uint64_t *)host_ram)[0x4000 / 8 + 3] = 0x8003; /* 0x403000 is the same page as 0x400000 */
    ask("Z0,400000,1");
    ask("Z1,403000,1");
    ask("vCont;c");
    expect_number(*host_code(CODE_GVA), 0xcc, "INT3 is planted");
    run_stop();
    expect_number(*host_code(CODE_GVA), 0x55,
                  "the second one found INT3 there, which is not the guest's byte");
}

/* The page table entry of CODE_GVA. */
static void unmap_code(void)
{
    ((uint64_t *)host_ram)[0x4000 / 8] = 0;
}

static void a_program_keeps_its_breakpoint_while_another_runs(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    memcpy(host_code(CODE_GVA), "\x55\x48\x89\xe5\x53\x48\x89\xfb", 8);
    ask("Z0,400000,1");
    ask("vCont;c");
    run_stop();
    gdb.running = false;
    ask("z0,400000,1"); /* gdb takes all out at each stop, */
    unmap_code();
    expect_answer("Z0,400000,1", "OK", "and puts them in again: the code is where it was, though not mapped");
    ask("vCont;c");
    expect_number(*host_code(CODE_GVA), 0xcc, "planted in the same page");
    run_stop();
    gdb.running = false;
    expect_number(*host_code(CODE_GVA), 0x55, "and taken out");
    ask("z0,400000,1");
    *host_code(CODE_GVA + 7) = 0;
    expect_answer("Z0,400000,1", "E0e", "something else lies there now: the program is gone");
}

static void where_nothing_is_mapped_is_no_breakpoint(void **state)
{
    (void)state;
    gdb.int3_exits = true;
    expect_answer("Z0,500000,1", "E0e", "no byte to plant anything in");
    expect_number(host_complaints, 1, "gdb says only that it cannot: the way out is said on stderr");
    gdb.debug_registers_work = true;
    expect_answer("Z0,500000,1", "OK", "a debug register needs none");
    expect_answer("Z1,400000,1", "OK", "a hardware breakpoint");
    __u64 debugreg[8] = {0};
    points_to_debug_registers(debugreg);
    expect_number(debugreg[0], 0x500000, "in the first register");
    expect_number(debugreg[1], 0x400000, "in the second");
    expect_number(debugreg[7], 2 | 8, "both are on (G0, G1), for execution, length 1");
}

static void watchpoints_are_debug_registers(void **state)
{
    __u64 debugreg[8] = {0};

    (void)state;
    gdb.debug_registers_work = true;
    expect_answer("Z2,401000,8", "OK", "writes of 8 bytes");
    expect_answer("Z4,401010,2", "OK", "any access to 2 bytes");
    points_to_debug_registers(debugreg);
    expect_number(debugreg[7], 2 | 8 | 9ul << 16 | 7ul << 20, "R/W0 = 1, LEN0 = 2; R/W1 = 3, LEN1 = 1");
    expect_answer("Z2,401001,8", "", "not a multiple of its size: gdb has to do without");
    expect_answer("Z2,401000,3", "", "not a size that debug registers have");
    expect_answer("Z3,401000,8", "", "x86 cannot watch reads alone");
    expect_answer("Z2,401020,8", "OK", "the third");
    expect_answer("Z2,401028,8", "OK", "the fourth");
    expect_answer("Z2,401030,8", "E1c", "there are four (28, ENOSPC)");
}

static void without_debug_registers_writes_are_found_by_stepping(void **state)
{
    (void)state;
    expect_answer("Z4,401000,8", "", "reads cannot be seen by stepping");
    expect_answer("Z2,401000,8", "OK", "writes change the value");
    ask("vCont;c");
    expect_true(gdb.vcpus[0].creeping, "so the vCPU must be stepped");
    expect_true(!watch_changed(host_vm.vcpus[0], &host_registers[0].sregs), "nothing has changed yet");
    host_ram[0x9000] = 1;
    const struct breakpoint *p = watch_changed(host_vm.vcpus[0], &host_registers[0].sregs);
    expect_true(p && p->gva == 0x401000, "now it has");
    expect_true(!watch_changed(host_vm.vcpus[0], &host_registers[0].sregs), "and is told once");
}

static void actions_belong_to_threads(void **state)
{
    (void)state;
    expect_it_runs("vCont;s:2;c");
    expect_true(gdb.vcpus[1].stepping, "vCont;s:2;c: thread 2 steps, by the leftmost action that fits");
    expect_true(!gdb.vcpus[0].stepping, "vCont;s:2;c: thread 1 does not step; its plan must say so, too");
    gdb.running = false;
    ask("vCont;r500000,500010:1;s:2");
    expect_true(gdb.vcpus[1].stepping, "thread 2 has an action of its own");
    expect_number(gdb.vcpus[1].end, 0, "which is a step, not a range");
    gdb.running = false;
    ask("vCont;r400000,400010:1");
    expect_true(gdb.vcpus[0].stepping && gdb.vcpus[1].held, "a thread without an action stands still");
    expect_number(gdb.vcpus[0].start, 0x400000, "the range to step through");
    expect_number(gdb.vcpus[0].end, 0x400010, "ends before this");
    gdb.running = resumed = false;
    expect_answer("vCont;s:9", "E16", "there is no thread 9");
    expect_answer("vCont;x", "E16", "nor an action x");
    expect_true(!resumed, "nothing may run then");
    expect_answer("vCont?", "vCont;c;C;s;S;r", "what there is");
}

static void signals_are_taken_and_forgotten(void **state)
{
    (void)state;
    expect_it_runs("vCont;C0e:1;S05:2");
    expect_true(!gdb.vcpus[0].stepping && !gdb.vcpus[0].held, "C is c");
    expect_true(gdb.vcpus[1].stepping && !gdb.vcpus[1].held, "S is s");
    gdb.running = false;
    expect_answer("vCont;C", "E16", "its signal is missing");
}

static void a_stop_has_a_signal(void **state)
{
    static const struct {
        enum gdb_stop stop;
        const char *answer, *why;
    } known[] = {{STOP_STEP, "T05thread:1;", "SIGTRAP is 5, and vCPU 0 is thread 1"},
                 {STOP_NONE, "T02thread:1;", "^C: no reason of its own, SIGINT (2)"},
                 {STOP_DIED, "T06thread:1;", "the guest died: SIGABRT (6)"},
                 {STOP_BREAK, "T05thread:1;", "gdb did not say that it knows swbreak"}};

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        struct reply r = {0};
        gdb.vcpus[0].stop = known[i].stop;
        reply_stop(&r, host_vm.vcpus[0]);
        r.data[r.size] = 0;
        expect_text(r.data, known[i].answer, known[i].why);
    }
}

static void a_stop_names_thread_and_reason(void **state)
{
    struct reply r = {0};

    (void)state;
    ask("qSupported:swbreak+;hwbreak+");
    ask("Z0,400000,1");
    host_registers[1].regs.rip = 0x400000;
    gdb.vcpus[1].stop = STOP_BREAK;
    reply_stop(&r, host_vm.vcpus[1]);
    r.data[r.size] = 0;
    expect_text(r.data, "T05thread:2;swbreak:;",
                "vCPU 1 is thread 2, and RIP is at the breakpoint already: that is what swbreak says");
    expect_true(gdb.vcpu == host_vm.vcpus[1], "g and m are about this one now");
    expect_number(gdb.vcpus[1].stop, STOP_NONE, "it is told once");
    r = (struct reply){0};
    gdb.vcpus[0].stop = STOP_WATCH;
    gdb.vcpus[0].address = 0x401000;
    reply_stop(&r, host_vm.vcpus[0]);
    r.data[r.size] = 0;
    expect_text(r.data, "T05thread:1;watch:401000;", "a watchpoint names its address");
    gdb.debug_registers_work = true;
    ask("Z4,401000,8");
    ask("Z1,400010,1");
    r = (struct reply){0};
    gdb.vcpus[0].stop = STOP_WATCH;
    reply_stop(&r, host_vm.vcpus[0]);
    r.data[r.size] = 0;
    expect_text(r.data, "T05thread:1;awatch:401000;", "the point at 401000 is a POINT_ACCESS: awatch");
    r = (struct reply){0};
    host_registers[0].regs.rip = 0x400010;
    gdb.vcpus[0].stop = STOP_BREAK;
    reply_stop(&r, host_vm.vcpus[0]);
    r.data[r.size] = 0;
    expect_text(r.data, "T05thread:1;", "the breakpoint at RIP is in a debug register: no swbreak");
}

static void a_stop_says_where(void **state)
{
    struct kvm_regs *regs = &host_registers[0].regs;

    (void)state;
    stops_at_once = true;
    regs->rip = 0x401234;
    regs->rsp = 0x7fff00001000;
    regs->rbp = 0x10;
    expect_answer("vCont;c", "T02thread:1;06:1000000000000000;07:00100000ff7f0000;10:3412400000000000;",
                  "RBP, RSP and RIP: gdb need not ask for them after each stop");
}

static void the_description_comes_in_windows(void **state)
{
    char all[32768] = "", packet[64];
    size_t size = 0;

    (void)state;
    do {
        snprintf(packet, sizeof packet, "qXfer:features:read:target.xml:%zx,100", size);
        ask(packet);
        for (size_t i = 1; i < reply.size; i++) /* '*' and others are escaped */
            all[size++] = reply.data[i] == '}' ? (char)(reply.data[++i] ^ 0x20) : reply.data[i];
        assert_true(size < sizeof all - 0x200);
    } while (answer[0] == 'm');
    expect_number((uint64_t)answer[0], 'l', "the last part begins with l");
    all[size] = 0;
    expect_contains(all, "<?xml", "from the beginning");
    expect_contains(all, "</target>", "to the end");
    expect_answer("qXfer:features:read:other.xml:0,100", "", "there is no other");
}

static void the_end(void **state)
{
    (void)state;
    expect_answer("D", "OK", "detach");
    expect_true(hung_up, "the connection ends after the answer");
    expect_number((uint64_t)host_status, (uint64_t)-1, "the guest goes on");
    ask("k");
    expect_number((uint64_t)host_status, 128 + 9, "kill ends it, as signal 9 would");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_known_gets_an_empty_answer, begin),
        cmocka_unit_test_setup(a_register_is_read_and_written, begin),
        cmocka_unit_test_setup(all_registers_come_in_one_answer, begin),
        cmocka_unit_test_setup(registers_are_those_of_the_chosen_thread, begin),
        cmocka_unit_test_setup(memory_is_read_and_written, begin),
        cmocka_unit_test_setup(a_long_read_is_answered_in_part, begin),
        cmocka_unit_test_setup(binary_memory_has_any_bytes, begin),
        cmocka_unit_test_setup(physical_memory_can_be_read, begin),
        cmocka_unit_test_setup(a_breakpoint_is_there_only_while_the_guest_runs, begin),
        cmocka_unit_test_setup(a_breakpoint_comes_back_after_each_stop, begin),
        cmocka_unit_test_setup(a_byte_that_the_guest_has_written_is_its_own, begin),
        cmocka_unit_test_setup(two_breakpoints_on_one_byte, begin),
        cmocka_unit_test_setup(a_program_keeps_its_breakpoint_while_another_runs, begin),
        cmocka_unit_test_setup(where_nothing_is_mapped_is_no_breakpoint, begin),
        cmocka_unit_test_setup(watchpoints_are_debug_registers, begin),
        cmocka_unit_test_setup(without_debug_registers_writes_are_found_by_stepping, begin),
        cmocka_unit_test_setup(actions_belong_to_threads, begin),
        cmocka_unit_test_setup(signals_are_taken_and_forgotten, begin),
        cmocka_unit_test_setup(a_stop_has_a_signal, begin),
        cmocka_unit_test_setup(a_stop_names_thread_and_reason, begin),
        cmocka_unit_test_setup(a_stop_says_where, begin),
        cmocka_unit_test_setup(the_description_comes_in_windows, begin),
        cmocka_unit_test_setup(the_end, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
