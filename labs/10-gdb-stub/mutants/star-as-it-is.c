/* In: hypervisor/inspect/gdb_packet.c. Caught by: unit_gdb_packet.binary_survives_the_way. Mistake:
 * forgets the star: gdb takes it for a run length. */
void reply_binary(struct reply *r, const void *bytes, size_t size)
{
    for (const char *b = bytes; size-- > 0; b++) {
        bool special = *b == '$' || *b == '#' || *b == ESCAPE;
        if (special)
            reply_byte(r, ESCAPE);
        reply_byte(r, special ? *b ^ ESCAPE_FLIP : *b);
    }
}
