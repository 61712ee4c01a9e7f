/* The machine around the gdb server under test. */
#include <stdarg.h>
#include "tests/unit/gdb_host.h"

uint8_t host_ram[HOST_RAM];
struct vm host_vm;
struct gdb_registers host_registers[HOST_CPUS];
int host_status;
unsigned host_complaints;
struct kvm_guest_debug host_debug;

static struct vcpu vcpus[HOST_CPUS];
static struct kvm_run runs[HOST_CPUS];
static const uint32_t msrs[GDB_MSRS] = {0xc0000102, 0xc0000081, 0xc0000082, 0xc0000084, 0x10};

void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size)
{
    (void)vm;
    return gpa < HOST_RAM && size <= HOST_RAM - gpa ? host_ram + gpa : NULL;
}

uint8_t *host_code(uint64_t gva)
{
    return host_ram + 0x8000 + (gva - CODE_GVA);
}

static void msrs_copy(struct gdb_registers *r, struct kvm_msrs *list, bool set)
{
    for (unsigned i = 0; i < list->nmsrs; i++)
        for (unsigned m = 0; m < GDB_MSRS; m++)
            if (list->entries[i].index == msrs[m] && set)
                r->msrs[m] = list->entries[i].data;
            else if (list->entries[i].index == msrs[m])
                list->entries[i].data = r->msrs[m];
}

/* KVM, as far as registers go: a vCPU's descriptor is its number. */
int ioctl(int fd, unsigned long request, ...)
{
    va_list args;

    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    struct gdb_registers *r = &host_registers[(unsigned)fd % HOST_CPUS];
    switch (request) {
    case KVM_GET_REGS:
        memcpy(arg, &r->regs, sizeof r->regs);
        return 0;
    case KVM_SET_REGS:
        memcpy(&r->regs, arg, sizeof r->regs);
        return 0;
    case KVM_GET_SREGS:
        memcpy(arg, &r->sregs, sizeof r->sregs);
        return 0;
    case KVM_SET_SREGS:
        memcpy(&r->sregs, arg, sizeof r->sregs);
        return 0;
    case KVM_GET_DEBUGREGS:
        memcpy(arg, &r->debug, sizeof r->debug);
        return 0;
    case KVM_SET_DEBUGREGS:
        memcpy(&r->debug, arg, sizeof r->debug);
        return 0;
    case KVM_GET_XSAVE:
        memcpy(arg, &r->xsave, sizeof r->xsave);
        return 0;
    case KVM_SET_XSAVE:
        memcpy(&r->xsave, arg, sizeof r->xsave);
        return 0;
    case KVM_SET_GUEST_DEBUG:
        memcpy(&host_debug, arg, sizeof host_debug);
        return 0;
    case KVM_GET_MSRS:
    case KVM_SET_MSRS:
        msrs_copy(r, arg, request == KVM_SET_MSRS);
        return GDB_MSRS;
    default:
        errno = EINVAL;
        return -1;
    }
}

int complain(int err, const char *format, ...)
{
    (void)format;
    host_complaints++;
    return err;
}

int vcpu_enter(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

void vm_stop(struct vm *vm, int status)
{
    (void)vm;
    host_status = status;
}

void host_begin(void)
{
    uint64_t *table = (uint64_t *)host_ram;

    memset(host_ram, 0, sizeof host_ram);
    memset(host_registers, 0, sizeof host_registers);
    memset(runs, 0, sizeof runs);
    memset(&gdb, 0, sizeof gdb);
    table[0x1000 / 8] = 0x2003;
    table[0x2000 / 8] = 0x3003;
    table[0x3000 / 8 + 2] = 0x4003;
    for (unsigned i = 0; i < 4; i++)
        table[0x4000 / 8 + i] = (0x8000 + i * 0x1000) | 3;
    host_vm = (struct vm){.cpus = HOST_CPUS, .lock = PTHREAD_MUTEX_INITIALIZER};
    for (unsigned i = 0; i < HOST_CPUS; i++) {
        vcpus[i] = (struct vcpu){.vm = &host_vm, .id = i, .fd = (int)i, .run = &runs[i]};
        host_vm.vcpus[i] = &vcpus[i];
        host_registers[i].sregs = (struct kvm_sregs){.cr0 = 1ul << 31 | 1,
                                                     .cr3 = 0x1000,
                                                     .cr4 = 1 << 5,
                                                     .efer = 1 << 10 | 1 << 8 | 1,
                                                     .idt = {.base = IDT_GVA, .limit = 0x1ff},
                                                     .gdt = {.base = GDT_GVA, .limit = 0x3f},
                                                     .cs = {.selector = 8, .l = 1}};
    }
    gdb.vm = &host_vm;
    gdb.vcpu = &vcpus[0];
    gdb.attached = true;
    host_status = -1;
    host_complaints = 0;
}
