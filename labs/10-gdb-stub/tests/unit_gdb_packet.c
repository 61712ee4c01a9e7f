/* Lab 10: packets of gdb's remote protocol: framing, checksums, escapes, and what a hostile peer may send. */
/* sources: hypervisor/inspect/gdb_packet.c */
#include <stdlib.h>
#include "expect.h"
#include "inspect/gdb.h"

static struct packet_reader reader;
static struct reply reply;
static char frame[PACKET_MAX + 4];

static int begin(void **state)
{
    (void)state;
    memset(&reader, 0, sizeof reader);
    memset(&reply, 0, sizeof reply);
    return 0;
}

/* Feed all bytes; the last event that means something. */
static enum packet_event feed(const char *bytes, size_t size)
{
    enum packet_event event, last = PACKET_NOTHING;

    for (size_t i = 0; i < size; i++)
        if ((event = packet_feed(&reader, (uint8_t)bytes[i])) != PACKET_NOTHING)
            last = event;
    return last;
}

static enum packet_event feed_text(const char *text)
{
    return feed(text, strlen(text));
}

static void expect_event(enum packet_event got, enum packet_event expected, const char *lesson)
{
    static const char *const names[] = {"PACKET_NOTHING", "PACKET_READY", "PACKET_DAMAGED", "PACKET_AGAIN",
                                        "PACKET_INTERRUPT"};

    expect_text(got < COUNT(names) ? names[got] : "something else", names[expected], lesson);
}

static void a_packet_is_read(void **state)
{
    (void)state;
    expect_event(feed_text("$g#67"), PACKET_READY, "0x67 is the sum of the one byte 'g'");
    expect_number(reader.size, 1, "the contents lie between $ and #");
    expect_text(reader.data, "g", "a zero byte follows the contents");
    expect_event(feed_text("$m0,4#fd"), PACKET_READY, "the next packet begins with nothing of the last");
    expect_text(reader.data, "m0,4", "the contents of the second packet");
}

static void a_packet_may_come_in_pieces(void **state)
{
    (void)state;
    expect_event(feed_text("$m0"), PACKET_NOTHING, "a stream has no packet boundaries: wait for the rest");
    expect_event(feed_text(",4#f"), PACKET_NOTHING, "one digit of the checksum is still missing");
    expect_event(feed_text("d"), PACKET_READY, "now it is whole");
}

static void an_empty_packet_is_a_packet(void **state)
{
    (void)state;
    expect_event(feed_text("$#00"), PACKET_READY, "the sum of no bytes is 0");
    expect_number(reader.size, 0, "it has no contents");
}

static void the_checksum_is_modulo_256(void **state)
{
    (void)state;
    expect_event(feed_text("$zzz#6e"), PACKET_READY, "3 * 0x7a = 0x16e, of which 0x6e is sent");
    expect_event(feed_text("$zzz#6E"), PACKET_READY, "digits may be capital letters");
}

static void damage_is_noticed(void **state)
{
    (void)state;
    expect_event(feed_text("$g#68"), PACKET_DAMAGED, "the checksum is not that of the contents");
    expect_event(feed_text("$g#6x"), PACKET_DAMAGED, "x is no digit");
    expect_event(feed_text("$g#x7"), PACKET_DAMAGED, "nor as the first");
    expect_event(feed_text("$g#67"), PACKET_READY, "the next packet is good again");
}

static void what_stands_between_packets(void **state)
{
    (void)state;
    expect_event(feed_text("+"), PACKET_NOTHING, "an acknowledgement asks for nothing");
    expect_event(feed_text("-"), PACKET_AGAIN, "'-' asks for the last packet again");
    expect_event(feed_text("\003"), PACKET_INTERRUPT, "byte 3 is ^C");
    expect_event(feed_text("$a\003-#93"), PACKET_DAMAGED, "within a packet they are contents like any other");
    expect_event(feed_text("$a\003-#91"), PACKET_READY, "0x61 + 0x03 + 0x2d");
}

static void a_new_dollar_begins_a_new_packet(void **state)
{
    (void)state;
    expect_event(feed_text("$lost$g#67"), PACKET_READY,
                 "'$' is never within a packet: the first one broke off");
    expect_text(reader.data, "g", "what was before the second '$' is forgotten, also in the sum");
}

static void escapes_are_undone(void **state)
{
    (void)state;
    /* '#', '$' and '}' are sent as '}' and themselves ^ 0x20. */
    expect_event(feed_text("$X}\003}\004}]#1c"), PACKET_DAMAGED,
                 "0x1c is the sum of what is meant, 'X', '#', '$' and '}': the checksum counts what is sent");
    expect_event(feed_text("$X}\003}\004}]#33"), PACKET_READY,
                 "escapes and all, as sent: 0x58 + 3 * 0x7d + 0x03 + 0x04 + 0x5d = 0x233");
    expect_number(reader.size, 4, "an escape and its byte are one byte");
    expect_text(reader.data, "X#$}", "0x03 ^ 0x20 is '#', and so on");
}

static void a_packet_that_is_too_long_is_refused(void **state)
{
    (void)state;
    feed_text("$");
    for (int i = 0; i < PACKET_MAX + 10; i++)
        packet_feed(&reader, 0);
    expect_event(feed_text("#00"), PACKET_DAMAGED, "it does not fit: it must not be taken for a shorter one");
    expect_event(feed_text("$g#67"), PACKET_READY, "and does no harm to the next");
}

static void the_longest_packet_fits(void **state)
{
    (void)state;
    feed_text("$");
    for (int i = 0; i < PACKET_MAX; i++)
        packet_feed(&reader, 0);
    expect_event(feed_text("#00"), PACKET_READY, "PACKET_MAX bytes are promised to gdb (PacketSize)");
    expect_number(reader.size, PACKET_MAX, "all of them");
    expect_number((uint64_t)reader.data[PACKET_MAX], 0, "and a zero byte behind");
}

static void a_reply_is_framed(void **state)
{
    (void)state;
    reply_text(&reply, "T%02x", 5);
    expect_number(packet_frame(&reply, frame), 7, "$, three bytes, #, two digits");
    expect_bytes(frame, "$T05#b9", 7,
                 "without $ and # the sum is 0x54 + 0x30 + 0x35 = 0xb9; the high digit comes first");
}

static void bytes_are_hex_in_memory_order(void **state)
{
    (void)state;
    reply_hex(&reply, "\x01\xab\xff", 3);
    expect_number(reply.size, 6, "two digits a byte");
    expect_bytes(reply.data, "01abff", 6, "the high digit first, lower case");
}

static void binary_survives_the_way(void **state)
{
    char all[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    reply_binary(&reply, all, sizeof all);
    expect_number(reply.size, 256 + 4, "four bytes need an escape: # $ } and * (a run length)");
    size_t size = packet_frame(&reply, frame);
    expect_event(feed(frame, size), PACKET_READY, "what is framed here must be read there");
    expect_bytes(reader.data, all, sizeof all, "the same bytes as before");
}

static void a_reply_that_is_full_says_so(void **state)
{
    char *bytes = calloc(1, PACKET_MAX);

    (void)state;
    reply_hex(&reply, bytes, PACKET_MAX / 2);
    expect_true(!reply.full, "exactly as many as fit");
    reply_text(&reply, "x");
    expect_true(reply.full, "one more does not");
    expect_number(reply.size, PACKET_MAX, "and is left out");
    free(bytes);
}

static void numbers_are_hexadecimal(void **state)
{
    const char *text = "ffff800000000000,1F;";
    uint64_t n;

    (void)state;
    expect_true(take_number(&text, &n), "16 digits are a number");
    expect_number(n, 0xffff800000000000, "of 64 bits");
    expect_true(!take_number(&text, &n), "a comma is none");
    expect_true(take_word(&text, ","), "it is a word");
    expect_true(take_number(&text, &n), "capital letters are digits, too");
    expect_number(n, 0x1f, "up to the semicolon");
    text = "12345678123456789";
    expect_true(!take_number(&text, &n), "17 digits are more than 64 bits");
}

static void hex_bytes_must_all_be_there(void **state)
{
    const char *text = "0aFF1";
    uint8_t bytes[3];

    (void)state;
    expect_true(!take_hex(&text, bytes, 3), "the last digit is missing; nothing behind the text may be read");
    expect_true(take_hex(&text, bytes, 2), "two bytes are there");
    expect_bytes(bytes, "\x0a\xff", 2, "and are these");
    expect_text(text, "1", "the text goes on behind them");
    text = "";
    expect_true(!take_hex(&text, bytes, 1), "there is nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_packet_is_read, begin),
        cmocka_unit_test_setup(a_packet_may_come_in_pieces, begin),
        cmocka_unit_test_setup(an_empty_packet_is_a_packet, begin),
        cmocka_unit_test_setup(the_checksum_is_modulo_256, begin),
        cmocka_unit_test_setup(damage_is_noticed, begin),
        cmocka_unit_test_setup(what_stands_between_packets, begin),
        cmocka_unit_test_setup(a_new_dollar_begins_a_new_packet, begin),
        cmocka_unit_test_setup(escapes_are_undone, begin),
        cmocka_unit_test_setup(a_packet_that_is_too_long_is_refused, begin),
        cmocka_unit_test_setup(the_longest_packet_fits, begin),
        cmocka_unit_test_setup(a_reply_is_framed, begin),
        cmocka_unit_test_setup(bytes_are_hex_in_memory_order, begin),
        cmocka_unit_test_setup(binary_survives_the_way, begin),
        cmocka_unit_test_setup(a_reply_that_is_full_says_so, begin),
        cmocka_unit_test_setup(numbers_are_hexadecimal, begin),
        cmocka_unit_test_setup(hex_bytes_must_all_be_there, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
