/*
 * Take the next byte of a packet's contents, or of its end. r->sum is the sum of all bytes between '$' and
 * '#' as they come over the wire. After ESCAPE the next byte is meant ^ ESCAPE_FLIP; put_byte() keeps what is
 * meant. '#' leads to IN_CHECKSUM_1. A '$' says that the last packet broke off: between_packets() begins
 * anew. Return PACKET_NOTHING: the packet is ready only when its checksum is there. GDB manual, "Overview" of
 * the remote protocol. Handout, section 4.2.
 */
static enum packet_event in_packet(struct packet_reader *r, uint8_t byte)
{
    (void)r, (void)byte;
    (void)put_byte; /* yours to use */
    lab_todo(10, "in_packet", "handout section 4.2");
    return PACKET_NOTHING;
}

/*
 * Append bytes as they are, except those that mean something in a packet: '$', '#', '*' (a run length in
 * answers) and ESCAPE become ESCAPE and themselves ^ ESCAPE_FLIP. GDB manual, "Overview". Handout,
 * section 4.1.
 */
void reply_binary(struct reply *r, const void *bytes, size_t size)
{
    (void)r, (void)bytes, (void)size;
    lab_todo(10, "reply_binary", "handout section 4.1");
}

/*
 * Put '$', the contents r->data, '#' and the checksum into `frame`: the sum of the contents modulo 256, in
 * two digits. Returns the number of bytes. GDB manual, "Overview". Handout, section 4.1.
 */
size_t packet_frame(const struct reply *r, char *frame)
{
    (void)r, (void)frame;
    lab_todo(10, "packet_frame", "handout section 4.1");
    return 0;
}
