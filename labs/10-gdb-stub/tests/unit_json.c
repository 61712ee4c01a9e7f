/* Lab 10: JSON, read from text that may be anything, and written from bytes that may be anything. */
/* sources: hypervisor/inspect/json.c */
#include <stdlib.h>
#include <string.h>
#include "expect.h"
#include "inspect/json.h"

static const char sample[] =
    " {\"a\" : -12.5e1, \"b\":[1, 2,{\"c\":[]}], \"text\":\"x\\n\\u0041\\\"\", \"d\":true,\"e\":null}\n";

static void values_are_read_in_their_order(void **state)
{
    struct json j = json_text(sample, sizeof sample - 1);
    char key[8], text[16];
    double sum = 0;

    (void)state;
    json_begin(&j, '{');
    while (json_key(&j, key, sizeof key)) {
        if (strcmp(key, "a") == 0)
            sum += json_number(&j);
        else if (strcmp(key, "text") == 0)
            json_string(&j, text, sizeof text);
        else
            json_skip(&j);
    }
    expect_true(json_done(&j), "the sample is good JSON");
    assert_true(sum == -125);
    expect_text(text, "x\nA\"", "escapes are replaced");
}

static void items_of_an_array_are_counted(void **state)
{
    struct json j = json_text("[[1,2],[],{}]", 13);
    int items = 0;

    (void)state;
    for (json_begin(&j, '['); json_item(&j); items++)
        json_skip(&j);
    expect_true(json_done(&j) && items == 3, "what lies within an item is skipped with it");
}

/* Read any text whole. Returns whether it was good. */
static bool read_all(const char *text, size_t size)
{
    char *copy = malloc(size + 1); /* exactly as long: the sanitizer sees a read behind it */
    memcpy(copy, text, size);
    struct json j = json_text(copy, size);
    char key[4];

    for (json_begin(&j, '{'); json_key(&j, key, sizeof key);)
        json_skip(&j);
    bool good = json_done(&j);
    free(copy);
    return good;
}

static void a_text_cut_short_is_an_error(void **state)
{
    (void)state;
    expect_true(read_all(sample, sizeof sample - 1), "the whole text is good");
    for (size_t size = 0; size < sizeof sample - 2; size++)
        expect_true(!read_all(sample, size), "every shorter one is not");
}

static void texts_that_are_no_json_are_errors(void **state)
{
    static const char *const wrong[] = {
        "",          "[]",         "{\"a\"}",       "{\"a\":}",        "{a:1}",
        "{,}",       "{\"a\":1,}", "{\"a\":1 2}",   "{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}",
        "{\"a\":x}", "{\"a\":-}",  "{\"a\":1}junk", "{\"a\":nul}",     "{\"a\":1e999e}"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_true(!read_all(wrong[i], strlen(wrong[i])), wrong[i]);
}

static void no_nesting_is_too_deep(void **state)
{
    enum { DEEP = 1000000 };
    char *text = malloc(2 * DEEP + 6);

    (void)state;
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', DEEP);
    memset(text + 5 + DEEP, ']', DEEP);
    text[5 + 2 * DEEP] = '}';
    expect_true(read_all(text, 2 * DEEP + 6), "a reader that recursed would have no stack left");
    expect_true(!read_all(text, DEEP + 5), "all of them must be closed");
    free(text);
}

static void every_byte_survives_a_string(void **state)
{
    char bytes[256], back[300], *text;
    size_t size;

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    FILE *out = open_memstream(&text, &size);
    json_put(out, bytes, sizeof bytes);
    fclose(out);
    expect_true(!memchr(text, '<', size), "no '<': the text may stand in a script element of a page");
    struct json j = json_text(text, size);
    expect_number(json_string(&j, back, sizeof back), 256, "as long as it was");
    expect_true(json_done(&j), "and nothing behind it");
    expect_bytes(back, bytes, sizeof bytes, "each byte is a character of its own");
    free(text);
}

static void a_string_that_does_not_fit_is_cut(void **state)
{
    struct json j = json_text("\"abcdef\"", 8);
    char text[4];

    (void)state;
    expect_number(json_string(&j, text, sizeof text), 3, "one byte is for the zero at its end");
    expect_text(text, "abc", "the beginning");
    expect_true(json_done(&j), "all of it was read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_in_their_order),
        cmocka_unit_test(items_of_an_array_are_counted),
        cmocka_unit_test(a_text_cut_short_is_an_error),
        cmocka_unit_test(texts_that_are_no_json_are_errors),
        cmocka_unit_test(no_nesting_is_too_deep),
        cmocka_unit_test(every_byte_survives_a_string),
        cmocka_unit_test(a_string_that_does_not_fit_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
