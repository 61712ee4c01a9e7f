/* The gdb server, from the bytes on the wire up. Its documentation: GDB manual, appendix E "GDB Remote Serial
 * Protocol". */
#ifndef GDB_H
#define GDB_H

#include <stdio.h>
#include "../vm.h"

/* ---- Packets (gdb_packet.c) ---- */

#define PACKET_MAX 16384 /* bytes of a packet's contents */

enum packet_event {
    PACKET_NOTHING,   /* more bytes are needed, or this one means nothing */
    PACKET_READY,     /* reader->data has a packet of reader->size bytes, and a zero byte behind it */
    PACKET_DAMAGED,   /* the checksum is wrong, or it is too long: ask for it again */
    PACKET_AGAIN,     /* the peer asks for our last packet again */
    PACKET_INTERRUPT, /* ^C */
};

struct packet_reader {
    enum { BETWEEN_PACKETS, IN_PACKET, AFTER_ESCAPE, IN_CHECKSUM_1, IN_CHECKSUM_2 } state;
    uint8_t sum; /* of the bytes since '$' */
    int digit;   /* the checksum's first; negative: it is none */
    bool too_long;
    size_t size;
    char data[PACKET_MAX + 1];
};

/* Take the next byte from the wire. A reader of zeros is a fresh one. */
enum packet_event packet_feed(struct packet_reader *reader, uint8_t byte);

/* An answer that grows. What does not fit is left out, and `full` says so. */
struct reply {
    size_t size;
    bool full;
    char data[PACKET_MAX];
};

void reply_text(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_hex(struct reply *r, const void *bytes, size_t size);    /* two digits each */
void reply_binary(struct reply *r, const void *bytes, size_t size); /* with escapes */

/* "$contents#checksum" into frame[PACKET_MAX + 4]. Returns the number of bytes. */
size_t packet_frame(const struct reply *r, char *frame);

/* Read what stands at *text and move *text behind it. They return false, and leave it, if it is not there. */
bool take_number(const char **text, uint64_t *number); /* hexadecimal, 1 to 16 digits */
bool take_hex(const char **text, void *bytes, size_t size);
bool take_word(const char **text, const char *word);

#endif
