/* Fuzz the gdb server with any bytes on its connection: packets, their commands, breakpoints, memory. */
/* sources: hypervisor/inspect/gdb_packet.c hypervisor/inspect/gdb_stub.c hypervisor/inspect/gdb_data.c */
/* sources: hypervisor/inspect/gdb_target.c hypervisor/inspect/gdb_memory.c hypervisor/inspect/gdb_step.c */
/* sources: hypervisor/inspect/gdb_break.c hypervisor/inspect/gdb_monitor.c hypervisor/inspect/walk.c */
/* sources: hypervisor/inspect/gdb_registers.c */
#include <stdarg.h>
#include <stdlib.h>
#include "inspect/gdb.h"
#include "virtio/virtio.h"

#define RAM_SIZE 0x10000ul

static uint8_t ram[RAM_SIZE];
static struct packet_reader reader;
static struct reply reply;
static char frame[PACKET_MAX + 4];

/* ---- The machine around it ---- */

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < RAM_SIZE && size <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

/* KVM: paging is on, and its tables lie in RAM, where the input may write. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list args;

    (void)fd;
    va_start(args, request);
    struct kvm_sregs *sregs = va_arg(args, struct kvm_sregs *);
    va_end(args);
    if (request == KVM_GET_SREGS)
        *sregs = (struct kvm_sregs){
            .cr0 = 1ul << 31 | 1, .cr3 = 0x1000, .cr4 = 1 << 5, .efer = 1 << 10 | 1 << 8, .idt.limit = 0xfff};
    return request == KVM_GET_MSRS || request == KVM_SET_MSRS ? GDB_MSRS : 0;
}

void vm_stop(struct vm *vm, int status)
{
    (void)vm;
    (void)status;
}

void virtio_each(struct vm *vm, void (*fn)(struct virtio_device *v))
{
    (void)vm;
    (void)fn;
}

const char *exit_reason_name(unsigned reason)
{
    (void)reason;
    return "";
}

/* What runs stops at once, with all breakpoints planted for a moment. */
bool run_resume(void)
{
    struct kvm_sregs sregs;

    ioctl(-1, KVM_GET_SREGS, &sregs);
    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        break_plant(gdb.vm->vcpus[i], &sregs);
    return false;
}

struct vcpu *run_stop(void)
{
    break_take_out(gdb.vm);
    return NULL;
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

static void map(void)
{
    uint64_t *table = (uint64_t *)ram;

    memset(ram, 0, sizeof ram);
    table[0x1000 / 8] = 0x2003;
    table[0x2000 / 8] = 0x3003;
    table[0x3000 / 8] = 0x4003;
    for (unsigned i = 0; i < 16; i++)
        table[0x4000 / 8 + i] = i << 12 | 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vcpu vcpus[2] = {{.id = 0}, {.id = 1}};
    static struct vm vm = {.cpus = 2, .vcpus = {&vcpus[0], &vcpus[1]}, .lock = PTHREAD_MUTEX_INITIALIZER};

    map();
    memset(&reader, 0, sizeof reader);
    memset(&gdb, 0, sizeof gdb);
    gdb.vm = &vm;
    gdb.vcpu = &vcpus[0];
    gdb.int3_exits = true;
    gdb.debug_registers_work = size & 1;
    for (size_t i = 0; i < size; i++) {
        /* A fuzzer would not find checksums: '#' ends a packet whatever follows. */
        if (packet_feed(&reader, data[i]) == PACKET_NOTHING && data[i] == '#' &&
            reader.state == IN_CHECKSUM_1) {
            reader.data[reader.size] = 0;
            reader.state = BETWEEN_PACKETS;
            gdb_command(&reader, &reply);
            server_send(&reply);
        }
    }
    return 0;
}
