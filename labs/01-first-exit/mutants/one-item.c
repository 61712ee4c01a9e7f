/* In: hypervisor/vcpu.c. Caught by: kvm_exits.rep_insw_reads_the_same_port_into_successive_words. Mistake:
 * forgets io.count, which is more than 1 for string input only. */
static void vcpu_handle_io(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->run;
    bool is_write = run->io.direction == KVM_EXIT_IO_OUT;
    void *data = (uint8_t *)run + run->io.data_offset;

    bus_access(&vcpu->vm->ports,
               (struct access){vcpu->vm, NULL, run->io.port, data, run->io.size, 1, is_write});
}
