/* In: hypervisor/inspect/gdb_packet.c. Caught by: unit_gdb_packet.a_packet_is_read. Mistake: the # is
 * counted, too. */
static enum packet_event in_packet(struct packet_reader *r, uint8_t byte)
{
    r->sum += byte;
    if (byte == '#') {
        r->state = IN_CHECKSUM_1;
        return PACKET_NOTHING;
    }
    if (byte == '$') /* never within a packet: the end of the last one was lost */
        return between_packets(r, byte);
    if (r->state == IN_PACKET && byte == ESCAPE) {
        r->state = AFTER_ESCAPE;
        return PACKET_NOTHING;
    }
    put_byte(r, r->state == AFTER_ESCAPE ? byte ^ ESCAPE_FLIP : byte);
    r->state = IN_PACKET;
    return PACKET_NOTHING;
}
