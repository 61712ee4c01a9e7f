/* The packets of gdb's remote protocol: "$contents#checksum", bytes in, packets out. The peer may be anybody.
 */
#include <stdarg.h>
#include "gdb.h"

#define ESCAPE      '}'  /* the next byte stands for itself ^ 0x20 */
#define ESCAPE_FLIP 0x20 /* (appendix E.1) */
#define CTRL_C      3

static const char digits[] = "0123456789abcdef";

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* to lower case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum packet_event between_packets(struct packet_reader *r, uint8_t byte)
{
    if (byte == '$') {
        r->state = IN_PACKET;
        r->size = r->sum = 0;
        r->too_long = false;
    }
    return byte == CTRL_C ? PACKET_INTERRUPT : byte == '-' ? PACKET_AGAIN : PACKET_NOTHING;
}

static void put_byte(struct packet_reader *r, uint8_t byte)
{
    if (r->size < PACKET_MAX)
        r->data[r->size++] = (char)byte;
    else
        r->too_long = true;
}

/* The checksum counts the bytes as they are on the wire, escapes and all. */
static enum packet_event in_packet(struct packet_reader *r, uint8_t byte)
{
    if (byte == '#') {
        r->state = IN_CHECKSUM_1;
        return PACKET_NOTHING;
    }
    if (byte == '$') /* never within a packet: the end of the last one was lost */
        return between_packets(r, byte);
    r->sum += byte;
    if (r->state == IN_PACKET && byte == ESCAPE) {
        r->state = AFTER_ESCAPE;
        return PACKET_NOTHING;
    }
    put_byte(r, r->state == AFTER_ESCAPE ? byte ^ ESCAPE_FLIP : byte);
    r->state = IN_PACKET;
    return PACKET_NOTHING;
}

static enum packet_event packet_end(struct packet_reader *r, uint8_t byte)
{
    int digit = digit_value((char)byte);
    bool good = digit >= 0 && r->digit >= 0 && (r->digit << 4 | digit) == r->sum && !r->too_long;

    r->state = BETWEEN_PACKETS;
    r->data[r->size] = 0;
    return good ? PACKET_READY : PACKET_DAMAGED;
}

enum packet_event packet_feed(struct packet_reader *r, uint8_t byte)
{
    switch (r->state) {
    case BETWEEN_PACKETS:
        return between_packets(r, byte);
    case IN_PACKET:
    case AFTER_ESCAPE:
        return in_packet(r, byte);
    case IN_CHECKSUM_1:
        r->digit = digit_value((char)byte);
        r->state = IN_CHECKSUM_2;
        return PACKET_NOTHING;
    default:
        return packet_end(r, byte);
    }
}

static void reply_byte(struct reply *r, char byte)
{
    if (r->size < sizeof r->data)
        r->data[r->size++] = byte;
    else
        r->full = true;
}

void reply_text(struct reply *r, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (const char *c = text; *c; c++)
        reply_byte(r, *c);
}

void reply_hex(struct reply *r, const void *bytes, size_t size)
{
    for (const uint8_t *b = bytes; size-- > 0; b++) {
        reply_byte(r, digits[*b >> 4]);
        reply_byte(r, digits[*b & 15]);
    }
}

/* '*' would be taken for a run length (appendix E.1). */
void reply_binary(struct reply *r, const void *bytes, size_t size)
{
    for (const char *b = bytes; size-- > 0; b++) {
        bool special = *b == '$' || *b == '#' || *b == '*' || *b == ESCAPE;
        if (special)
            reply_byte(r, ESCAPE);
        reply_byte(r, special ? *b ^ ESCAPE_FLIP : *b);
    }
}

size_t packet_frame(const struct reply *r, char *frame)
{
    uint8_t sum = 0;

    frame[0] = '$';
    for (size_t i = 0; i < r->size; i++)
        sum += (uint8_t)(frame[1 + i] = r->data[i]);
    frame[1 + r->size] = '#';
    frame[2 + r->size] = digits[sum >> 4];
    frame[3 + r->size] = digits[sum & 15];
    return r->size + 4;
}

bool take_number(const char **text, uint64_t *number)
{
    const char *c = *text;

    for (*number = 0; digit_value(*c) >= 0 && c - *text < 16; c++)
        *number = *number << 4 | (uint64_t)digit_value(*c);
    if (c == *text || digit_value(*c) >= 0)
        return false;
    *text = c;
    return true;
}

bool take_hex(const char **text, void *bytes, size_t size)
{
    const char *c = *text;

    for (size_t i = 0; i < size; i++, c += 2) {
        int high = digit_value(c[0]), low = high < 0 ? -1 : digit_value(c[1]);
        if (low < 0)
            return false;
        ((uint8_t *)bytes)[i] = (uint8_t)(high << 4 | low);
    }
    *text = c;
    return true;
}

bool take_word(const char **text, const char *word)
{
    size_t size = strlen(word);
    bool there = strncmp(*text, word, size) == 0;

    *text += there ? size : 0;
    return there;
}
