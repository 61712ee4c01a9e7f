/*
 * Answer "m addr,length": the bytes there in hex. Parse with take_range(), read with copy(). More than
 * PACKET_MAX / 2 bytes do not fit into an answer: then, and where only the first bytes can be read, answer
 * with those. Returns 0; EFAULT if there is none of them; EINVAL if the packet cannot be parsed. GDB manual,
 * "Packets". Handout, section 4.5.
 */
static int command_read_memory(const char *text, struct reply *r)
{
    (void)text, (void)r, (void)take_range;
    lab_todo(10, "command_read_memory", "handout section 4.5");
    return ENOSYS;
}

/*
 * Change registers of gdb.vcpu: n, n + 1 and so on, as many as `text` has values for, at most `count`. A
 * value is reg.bits / 8 bytes in hex. Load all, change a copy, store what differs. Returns 0; EIO if KVM
 * refuses; EINVAL if text is left over, because a value is too short or there are too many: then nothing has
 * changed. Handout, section 4.6.
 */
static int set_registers(const char *text, unsigned n, unsigned count)
{
    (void)text, (void)n, (void)count;
    lab_todo(10, "set_registers", "handout section 4.6");
    return ENOSYS;
}
