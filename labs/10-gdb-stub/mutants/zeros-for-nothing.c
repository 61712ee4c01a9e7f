/* In: hypervisor/inspect/gdb_data.c. Caught by: unit_gdb_stub.memory_is_read_and_written. Mistake: memory
 * that is not mapped reads as zeros. */
static int command_read_memory(const char *text, struct reply *r)
{
    static uint8_t bytes[PACKET_MAX / 2];
    uint64_t addr, size;

    if (!take_range(&text, &addr, &size))
        return EINVAL;
    size_t n = size < sizeof bytes ? size : sizeof bytes;

    memset(bytes, 0, sizeof bytes);
    copy(addr, bytes, size < sizeof bytes ? size : sizeof bytes, false);
    reply_hex(r, bytes, n);
    return n > 0 || size == 0 ? 0 : EFAULT;
}
