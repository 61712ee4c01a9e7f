/* In: hypervisor/vcpu.c. Caught by: kvm_exits.out_of_each_size_reaches_the_device. Mistake: takes every
 * access for one of a byte. */
static void vcpu_handle_io(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    bool is_write = run->io.direction == KVM_EXIT_IO_OUT;
    void *data = (uint8_t *)run + run->io.data_offset;

    bus_access(&vcpu->vm->ports,
               (struct access){vcpu->vm, NULL, run->io.port, data, 1, run->io.count, is_write});
}
