/* In: hypervisor/inspect/gdb_data.c. Caught by: unit_gdb_stub.a_long_read_is_answered_in_part. Mistake:
 * believes the length in the packet. */
static int command_read_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (!take_range(&text, &addr, &size))
        return EINVAL;
    size_t n = copy(addr, bytes, size, false);
    reply_hex(r, bytes, n);
    return n > 0 || size == 0 ? 0 : EFAULT;
}
