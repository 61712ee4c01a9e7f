/* In: hypervisor/inspect/gdb_data.c. Caught by: unit_gdb_stub.memory_is_read_and_written. Mistake: an
 * error where the first bytes are there. */
static int command_read_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (!take_range(&text, &addr, &size))
        return EINVAL;
    size_t n = copy(addr, bytes, size < sizeof bytes ? size : sizeof bytes, false);
    if (n == size)
        reply_hex(r, bytes, n);
    return n == size ? 0 : EFAULT;
}
