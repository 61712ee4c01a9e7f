/* In: hypervisor/vcpu.c. Caught by: kvm_exits.mmio_of_each_size_reaches_the_device. Mistake: takes is_write
 * for the direction of KVM_EXIT_IO, where 0 is IN and 1 is OUT, the wrong way round. */
static void vcpu_handle_mmio(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;

    bus_access(&vcpu->vm->mmio, (struct access){vcpu->vm, NULL, run->mmio.phys_addr, run->mmio.data,
                                                run->mmio.len, 1, !run->mmio.is_write});
}
