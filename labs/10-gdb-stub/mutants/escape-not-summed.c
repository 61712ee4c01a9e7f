/* In: hypervisor/inspect/gdb_packet.c. Caught by: unit_gdb_packet.escapes_are_undone. Mistake: the escape
 * byte itself is left out of the checksum. */
static enum packet_event in_packet(struct packet_reader *r, uint8_t byte)
{
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
    r->sum += byte;
    put_byte(r, r->state == AFTER_ESCAPE ? byte ^ ESCAPE_FLIP : byte);
    r->state = IN_PACKET;
    return PACKET_NOTHING;
}
