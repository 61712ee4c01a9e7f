/* Lab 10: JSON strings, written from bytes that may be anything. */
/* sources: hypervisor/inspect/json.c */
#include <jansson.h>
#include <string.h>
#include "expect.h"
#include "inspect/json.h"

static void every_byte_survives_a_string(void **state)
{
    char bytes[256], text[2048] = "";
    FILE *out = fmemopen(text, sizeof text, "w");

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    json_put(out, bytes, sizeof bytes);
    fclose(out);
    expect_true(!strchr(text, '<'), "no '<': the text may stand in a script element of a page");
    json_t *string = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    expect_true(json_is_string(string), "another reader takes it as a string");
    const unsigned char *utf8 = (const unsigned char *)json_string_value(string);
    expect_number(json_string_length(string), 128 + 2 * 128, "UTF-8 has two bytes for 0x80 to 0xff");
    for (unsigned i = 0; i < 256; i++, utf8++) {
        unsigned got = *utf8 < 0x80 ? *utf8 : (*utf8 & 3u) << 6;
        got |= *utf8 < 0x80 ? 0 : *++utf8 & 0x3fu;
        expect_number(got, i, "each byte is a character of its own");
    }
    json_decref(string);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_survives_a_string)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
