/* In: hypervisor/inspect/gdb_packet.c. Caught by: unit_gdb_packet.a_new_dollar_begins_a_new_packet.
 * Mistake: a packet that broke off swallows the next one. */
static enum packet_event in_packet(struct packet_reader *r, uint8_t byte)
{
    if (byte == '#') {
        r->state = IN_CHECKSUM_1;
        return PACKET_NOTHING;
    }
    r->sum += byte;
    if (r->state == IN_PACKET && byte == ESCAPE) {
        r->state = AFTER_ESCAPE;
        return PACKET_NOTHING;
    }
    put_byte(r, r->state == AFTER_ESCAPE ? byte ^ ESCAPE_FLIP : byte);
    r->state = IN_PACKET;
    return PACKET_NOTHING;
}
