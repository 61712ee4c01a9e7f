/* gdb's questions, and what it sets (GDB manual, appendix E.4). */
#include <stdlib.h>
#include "gdb.h"

static int query_supported(const char *text, struct reply *r)
{
    gdb.can_swbreak = strstr(text, "swbreak+");
    reply_text(r, "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+", PACKET_MAX);
    return 0;
}

GDB_COMMAND(packet_qSupported) = {"qSupported", .run = query_supported};

/* "annex:offset,length": a window of a text. 'm': there is more, 'l': that was the last. */
static int query_features(const char *text, struct reply *r)
{
    uint64_t offset, length;
    char *xml = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&xml, &size);

    if (!out)
        return ENOMEM;
    target_print(out);
    fclose(out);
    bool good =
        take_number(&text, &offset) && take_word(&text, ",") && take_number(&text, &length) && offset <= size;
    if (good) {
        uint64_t rest = size - offset, most = PACKET_MAX / 2; /* all of them might need an escape */
        length = length < most ? length : most;
        reply_text(r, length < rest ? "m" : "l");
        reply_binary(r, xml + offset, length < rest ? length : rest);
    }
    free(xml);
    return good ? 0 : EINVAL;
}

GDB_COMMAND(packet_qXferfeaturesread) = {"qXfer:features:read:target.xml:", .run = query_features};

/* gdb lets go of the guest when it ends, instead of killing it. */
GDB_COMMAND(packet_qAttached) = {"qAttached", .answer = "1"};

static int set_no_ack(const char *text, struct reply *r)
{
    (void)text, (void)r;
    gdb.no_ack = true;
    return 0;
}

GDB_COMMAND(packet_QStartNoAckMode) = {"QStartNoAckMode", .run = set_no_ack, .answer = "OK"};

/* QEMU's way to have addresses taken as physical, which gdb's scripts know. */
static int set_physical(const char *text, struct reply *r)
{
    (void)r;
    gdb.physical = *text == '1';
    return 0;
}

GDB_COMMAND(packet_Qqemu) = {"Qqemu.PhyMemMode:", .run = set_physical, .answer = "OK"};

/* Output goes ahead in packets of its own. */
static int query_monitor(const char *text, struct reply *r)
{
    struct reply output = {0};
    char line[256] = "", *printed = NULL;
    size_t length = strlen(text) / 2, size = 0;
    FILE *out =
        length < sizeof line && take_hex(&text, line, length) ? open_memstream(&printed, &size) : NULL;

    (void)r;
    if (!out)
        return EINVAL;
    monitor_command(line, out);
    fclose(out);
    for (size_t done = 0, part; done < size; done += part) {
        part = size - done < PACKET_MAX / 4 ? size - done : PACKET_MAX / 4;
        output.size = 0;
        reply_text(&output, "O");
        reply_hex(&output, printed + done, part);
        server_send(&output);
    }
    free(printed);
    return 0;
}

GDB_COMMAND(packet_qRcmd) = {"qRcmd,", .run = query_monitor, .answer = "OK"};
