/* In: hypervisor/inspect/gdb_packet.c. Caught by: unit_gdb_packet.a_reply_is_framed. Mistake: the
 * checksum counts the dollar sign. */
size_t packet_frame(const struct reply *r, char *frame)
{
    uint8_t sum = '$';

    frame[0] = '$';
    for (size_t i = 0; i < r->size; i++)
        sum += (uint8_t)(frame[1 + i] = r->data[i]);
    frame[1 + r->size] = '#';
    frame[2 + r->size] = digits[sum >> 4];
    frame[3 + r->size] = digits[sum & 15];
    return r->size + 4;
}
