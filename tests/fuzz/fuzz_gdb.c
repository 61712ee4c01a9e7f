/* Fuzz the gdb server with any bytes on its connection: packets, their commands, breakpoints, memory. */
/* sources: hypervisor/inspect/gdb_packet.c hypervisor/inspect/gdb_stub.c hypervisor/inspect/gdb_data.c */
/* sources: hypervisor/inspect/gdb_target.c hypervisor/inspect/gdb_memory.c hypervisor/inspect/gdb_step.c */
/* sources: hypervisor/inspect/gdb_break.c hypervisor/inspect/gdb_monitor.c hypervisor/inspect/walk.c */
/* sources: hypervisor/inspect/gdb_resume.c hypervisor/inspect/gdb_watch.c hypervisor/inspect/gdb_query.c */
/* sources: hypervisor/inspect/gdb_registers.c hypervisor/inspect/control_answer.c */
/* sources: hypervisor/inspect/json.c tests/unit/gdb_host.c */
#include <stdlib.h>
#include "tests/unit/gdb_host.h"
#include "inspect/control.h"

static struct packet_reader reader;
static struct reply reply;
static char frame[PACKET_MAX + 4];

/* ---- The machine around it ---- */

static bool answer(struct vm *vm, const char *const *arguments, FILE *out)
{
    (void)vm;
    return fputs(arguments[0], out) >= 0;
}

CONTROL(anything) = {.name = "anything", .synopsis = "", .help = "", .run = answer};

/* Only the control socket's. */
void vm_freeze(struct vm *vm)
{
    (void)vm;
}

void vm_thaw(struct vm *vm)
{
    (void)vm;
}

const char *exit_reason_name(unsigned reason)
{
    (void)reason;
    return "";
}

/* What runs stops at once, with all breakpoints planted for a moment. */
bool run_resume(void)
{
    for (unsigned i = 0; i < HOST_CPUS; i++)
        break_plant(host_vm.vcpus[i], &host_registers[i].sregs);
    return false;
}

struct vcpu *run_stop(void)
{
    break_take_out(&host_vm);
    return NULL;
}

void faults_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs, bool wanted)
{
    (void)vcpu, (void)sregs, (void)wanted;
}

bool int3_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs)
{
    (void)vcpu;
    (void)sregs;
    return true;
}

void int3_take_out(struct vm *vm)
{
    (void)vm;
}

void server_send(const struct reply *r)
{
    if (packet_frame(r, frame) > sizeof frame)
        abort();
}

void server_hang_up(void)
{
}

/* Nor would it find two digits for each character: of "~walk 0" is made what gdb makes of "monitor walk 0".
 */
static void encode_monitor(void)
{
    struct reply packet = {0};

    if (reader.size == 0 || reader.size > PACKET_MAX / 4 || reader.data[0] != '~')
        return;
    reply_text(&packet, "qRcmd,");
    reply_hex(&packet, reader.data + 1, reader.size - 1);
    memcpy(reader.data, packet.data, packet.size);
    reader.size = packet.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&reader, 0, sizeof reader);
    host_begin();
    gdb.int3_exits = true;
    gdb.debug_registers_work = size & 1;
    for (size_t i = 0; i < size; i++) {
        /* A fuzzer would not find checksums: '#' ends a packet whatever follows. */
        if (packet_feed(&reader, data[i]) == PACKET_NOTHING && data[i] == '#' &&
            reader.state == IN_CHECKSUM_1) {
            encode_monitor();
            reader.data[reader.size] = 0;
            reader.state = BETWEEN_PACKETS;
            gdb_command(&reader, &reply);
            server_send(&reply);
        }
    }
    return 0;
}
