/* For the tests that run guests: a VM from a few instructions, what came out of it, and failures that explain
 * themselves. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "guest.h"
#include "boot/flat.h"

static char output[65536], records[4096], errors[32768];
static size_t output_size;
static int saved_stderr, stderr_file;

static void collect_output(struct vm *vm, const void *data, size_t size)
{
    (void)vm;
    for (size_t i = 0; i < size && output_size + 1 < sizeof output; i++)
        output[output_size++] = ((const char *)data)[i];
    output[output_size] = '\0';
}

const char *guest_output(void)
{
    return output;
}

static struct vm *new_vm(bool bare, unsigned cpus)
{
    struct vm *vm = calloc(1, sizeof *vm);

    features_collect();
    output_size = 0;
    output[0] = records[0] = '\0';
    vm->memory = GUEST_MEMORY;
    vm->cpus = cpus;
    vm->bare = bare;
    vm->output = collect_output;
    if (vm_create(vm) < 0) {
        vm_destroy(vm);
        free(vm);
        fail_msg("the VM could not be made: vm_create() failed");
    }
    return vm;
}

static void put_code(struct vm *vm, uint64_t gpa, const uint8_t *code, const uint8_t *end)
{
    memcpy(guest_ptr(vm, gpa, (uint64_t)(end - code)), code, (size_t)(end - code));
}

struct vm *vm_from_code(const uint8_t *code, const uint8_t *end)
{
    options_clear();
    struct vm *vm = new_vm(true, 1);

    put_code(vm, FLAT_BASE, code, end);
    if (flat_start(vm->vcpus[0]) < 0)
        fail_msg("the registers could not be set: flat_start() failed");
    return vm;
}

struct vm *vm_with_vcpus(unsigned count, const uint8_t *code, const uint8_t *end)
{
    const struct kvm_mp_state runnable = {KVM_MP_STATE_RUNNABLE};
    struct kvm_regs regs;

    options_clear();
    struct vm *vm = new_vm(false, count);
    put_code(vm, FLAT_BASE, code, end);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(flat_start(vm->vcpus[i]), 0);
        assert_int_equal(ioctl(vm->vcpus[i]->fd, KVM_GET_REGS, &regs), 0);
        regs.rbx = i;
        assert_int_equal(ioctl(vm->vcpus[i]->fd, KVM_SET_REGS, &regs), 0);
        assert_int_equal(ioctl(vm->vcpus[i]->fd, KVM_SET_MP_STATE, &runnable), 0);
    }
    return vm;
}

static void make_tables(struct vm *vm)
{
    uint64_t *t = guest_ptr(vm, TABLES64, 4 * 4096);

    t[0] = (TABLES64 + 0x1000) | 3;
    t[512] = (TABLES64 + 0x2000) | 3;
    t[1024] = (TABLES64 + 0x3000) | 3;
    for (uint64_t i = 1; i < GUEST_MEMORY / (2 * MiB); i++)
        t[1024 + i] = i * 2 * MiB | 0x83;
    for (uint64_t i = 0; i < 512; i++)
        t[1536 + i] = i * 4096 | 3;
}

struct vm *vm_from_code64(const uint8_t *code, const uint8_t *end)
{
    options_clear();
    struct vm *vm = new_vm(true, 1);
    struct vcpu *vcpu = vm->vcpus[0];
    struct kvm_regs regs = {.rip = CODE64_BASE, .rsp = STACK64_TOP, .rbp = 0, .rflags = 2};
    const struct kvm_segment data = {
        .limit = ~0u, .selector = 0x10, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1};
    struct kvm_sregs sregs;

    put_code(vm, CODE64_BASE, code, end);
    make_tables(vm);
    uint64_t *gdt = guest_ptr(vm, 0x500, 24);
    gdt[1] = 0x00af9b000000ffff;
    gdt[2] = 0x00cf93000000ffff;
    assert_int_equal(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs), 0);
    sregs.cr0 = 0x80010011; /* PG, WP, ET, PE */
    sregs.cr4 = 0x620;      /* PAE, OSFXSR, OSXMMEXCPT */
    sregs.cr3 = TABLES64;
    sregs.efer = 0xd00; /* LME, LMA, NXE */
    sregs.gdt = (struct kvm_dtable){0x500, 23, {0}};
    sregs.idt = (struct kvm_dtable){0, 0, {0}};
    sregs.cs = sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
    sregs.cs =
        (struct kvm_segment){.limit = ~0u, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
    sregs.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1};
    assert_int_equal(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs), 0);
    assert_int_equal(ioctl(vcpu->fd, KVM_SET_REGS, &regs), 0);
    return vm;
}

struct vm *vm_from_options(int argc, const char **argv)
{
    features_collect();
    options_clear();
    assert_int_equal(options_parse(argc, (char **)argv), 0);
    return new_vm(false, 1);
}

void free_vm(struct vm *vm)
{
    vm_destroy(vm);
    free(vm);
    options_clear();
}

static void *watchdog(void *arg)
{
    const char *scale = getenv("TIMEOUT_SCALE"), *limit = getenv("TERRARIUM_GUEST_SECONDS");
    int seconds = (limit ? atoi(limit) : 60) * (scale ? atoi(scale) : 1);
    struct vm *vm = arg;

    if (poll(&(struct pollfd){.fd = vm->stopped_fd, .events = POLLIN}, 1, seconds * 1000) == 0) {
        fprintf(stderr, "the guest still runs after %d s\n", seconds);
        vm_stop(vm, -1);
    }
    return NULL;
}

int run_vm(struct vm *vm)
{
    pthread_t guard;

    assert_int_equal(vm_start(vm), 0);
    pthread_create(&guard, NULL, watchdog, vm);
    int status = vm_join(vm);
    pthread_join(guard, NULL);
    return status;
}

void run_until_halt(struct vm *vm)
{
    int status = run_vm(vm);

    expect_number((uint64_t)status, 0,
                  "the guest should have reached its HLT, which ends a bare guest with status 0");
    expect_number(vm->vcpus[0]->exits[KVM_EXIT_HLT], 1,
                  "HLT without an interrupt controller is an exit, KVM_EXIT_HLT");
}

struct kvm_regs guest_regs(struct vm *vm)
{
    struct kvm_regs regs;

    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_REGS, &regs), 0);
    return regs;
}

struct kvm_sregs guest_sregs(struct vm *vm)
{
    struct kvm_sregs sregs;

    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_GET_SREGS, &sregs), 0);
    return sregs;
}

void set_guest_sregs(struct vm *vm, const struct kvm_sregs *sregs)
{
    assert_int_equal(ioctl(vm->vcpus[0]->fd, KVM_SET_SREGS, sregs), 0);
}

static void record(const char *format, unsigned size, uint64_t value)
{
    size_t used = strlen(records);

    snprintf(records + used, sizeof records - used, format, used ? " " : "", size, (unsigned long long)value);
}

static uint64_t record_read(const struct access *a)
{
    record("%sr%u +%llu", a->size, a->offset);
    return (uint64_t)(uintptr_t)a->dev;
}

static void record_write(const struct access *a, uint64_t value)
{
    record("%sw%u %llx", a->size, value);
}

static const struct bus_ops recorder = {.sizes = 15, .read = record_read, .write = record_write};

void record_port(struct vm *vm, uint16_t port, uint64_t size, uint64_t answer)
{
    assert_int_equal(bus_claim(&vm->ports, port, size, "recorder", &recorder, (void *)(uintptr_t)answer), 0);
}

void record_mmio(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t answer)
{
    assert_int_equal(bus_claim(&vm->mmio, gpa, size, "recorder", &recorder, (void *)(uintptr_t)answer), 0);
}

const char *recorded(void)
{
    return records;
}

void begin_stderr(void)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    stderr_file = memfd_create("stderr", 0);
    dup2(stderr_file, STDERR_FILENO);
}

const char *end_stderr(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    ssize_t n = pread(stderr_file, errors, sizeof errors - 1, 0);
    errors[n > 0 ? n : 0] = '\0';
    close(saved_stderr);
    close(stderr_file);
    return errors;
}
