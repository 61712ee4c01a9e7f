/* How much our vCPU loop adds to an exit: port writes through Terrarium, over a bare KVM_RUN loop, batch by
 * batch in turn. */
#include "guest.h"

#define BATCH   4000 /* exits */
#define BATCHES 31

GUEST(loop_code, ".code16", "1: out %al, $0x55; jmp 1b");

static unsigned left;

static void count_down(const struct access *a, uint64_t value)
{
    (void)value;
    if (--left == 0)
        vm_stop(a->vm, 0);
}

/* A batch through the loop, the exit table and the bus, on this thread. Nanoseconds. */
static double batch_ours(struct vm *vm)
{
    left = BATCH;
    vm->wish = WISH_RUN;
    vm->resting = 0;
    uint64_t start = host_now();
    vcpu_thread(vm->vcpus[0]);
    return (double)(host_now() - start);
}

static double batch_bare(struct vm *vm)
{
    const struct vcpu *vcpu = vm->vcpus[0];
    volatile unsigned seen = 0;
    uint64_t start = host_now();

    for (unsigned i = 0; i < BATCH; i++)
        if (ioctl(vcpu->fd, KVM_RUN, 0) == 0 && vcpu->run->exit_reason == KVM_EXIT_IO)
            seen = seen + 1;
    return (double)(host_now() - start);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, BATCHES, sizeof *values, by_value);
    return values[BATCHES / 2];
}

int main(void)
{
    static const struct bus_ops ops = {.sizes = 1, .write = count_down};
    static double ours[BATCHES], bare[BATCHES];
    struct vm *a = vm_from_code(loop_code, loop_code_end), *b = vm_from_code(loop_code, loop_code_end);

    if (bus_claim(&a->ports, 0x55, 1, "counter", &ops, NULL) < 0)
        return 1;
    batch_ours(a);
    batch_bare(b);
    for (int i = 0; i < BATCHES; i++) {
        ours[i] = batch_ours(a);
        bare[i] = batch_bare(b);
    }
    double x = median(ours) / BATCH, y = median(bare) / BATCH;
    printf("port-I/O exit round trip: terrarium %.0f ns, bare KVM_RUN loop %.0f ns, ratio %.3f (goal: 1.10 "
           "or less)\n",
           x, y, x / y);
    free_vm(a);
    free_vm(b);
    return 0;
}
