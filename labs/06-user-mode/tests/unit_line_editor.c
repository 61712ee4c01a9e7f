/* The line editor: keys go in, and what comes out is drawn on a small imaginary screen that the tests look
 * at. */
/* sources: guestos/user/sh/edit.c guestos/user/sh/arena.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guestos/user/sh/sh.h"

#define ROWS   12
#define PROMPT "$ "

#define LEFT   "\033[D"
#define RIGHT  "\033[C"
#define UP     "\033[A"
#define DOWN   "\033[B"
#define HOME   "\033[H"
#define END    "\033[F"
#define DELETE "\033[3~"

/* --- a terminal as far as the editor uses one; a full row waits for the next character before it wraps ---
 */

struct screen {
    char cells[ROWS][200];
    int columns, row, column;
};

static const char *do_sequence(struct screen *screen, const char *at)
{
    int count = strtol(at, (char **)&at, 10);

    switch (*at) {
    case 'A':
        screen->row -= count;
        break;
    case 'B':
        screen->row += count;
        break;
    case 'C':
        screen->column += count;
        break;
    case 'H':
        screen->row = screen->column = 0;
        break;
    case 'J':
        for (int i = screen->row * 200 + (count == 2 ? 0 : screen->column); i < ROWS * 200; i++)
            screen->cells[i / 200][i % 200] = ' ';
        break;
    default:
        fail_msg("the editor sends ESC [ %c, which this test's terminal does not know", *at);
    }
    return at + 1;
}

static void draw(struct screen *screen, char c)
{
    if (screen->column == screen->columns) {
        screen->row++;
        screen->column = 0;
    }
    assert_true(screen->row >= 0 && screen->row < ROWS);
    screen->cells[screen->row][screen->column++] = c;
}

static void show_on(struct screen *screen, const struct text *output)
{
    for (const char *at = output->data, *end = at + output->length; at < end;) {
        if (at[0] == '\033' && at[1] == '[')
            at = do_sequence(screen, at + 2);
        else if (*at == '\r')
            screen->column = 0, at++;
        else if (*at == '\n')
            screen->row++, at++;
        else if (*at == '\a')
            at++;
        else
            draw(screen, *at++);
    }
}

/* --- a session --- */

static struct screen screen;
static struct edit edit;
static struct history history;

static void start(int columns)
{
    memset(&screen, ' ', sizeof screen);
    screen.row = screen.column = 0;
    screen.columns = columns;
    edit_start(&edit, PROMPT, columns, &history);
}

/* Feed keys, refreshing the screen after each one or only at the end, as with a paste. */
static enum edit_result type(const char *keys, bool each)
{
    enum edit_result result = EDIT_MORE;

    while (*keys && result == EDIT_MORE) {
        result = edit_feed(&edit, *keys++);
        if (each && result == EDIT_MORE)
            edit_refresh(&edit);
    }
    if (result == EDIT_MORE)
        edit_refresh(&edit);
    show_on(&screen, &edit.output);
    edit.output.length = 0;
    return result;
}

/* The screen must show prompt and line, wrapped, with the cursor in the right cell, and nothing else. */
static void expect_screen(const char *keys, const char *line, size_t cursor)
{
    char wanted[ROWS * 200];
    size_t column = strlen(PROMPT) + cursor, columns = screen.columns;
    bool waits = cursor == strlen(line) && column % columns == 0;

    snprintf(wanted, sizeof wanted, "%s%s", PROMPT, line);
    for (size_t i = 0; i < ROWS * columns; i++) {
        char cell = screen.cells[i / columns][i % columns], want = i < strlen(wanted) ? wanted[i] : ' ';
        if (cell != want)
            fail_msg("after '%s' row %zu, column %zu shows '%c', should show '%c'", keys, i / columns,
                     i % columns, cell, want);
    }
    if ((size_t)screen.row * columns + screen.column != column ||
        (!waits && (size_t)screen.column == columns))
        fail_msg("after '%s' the cursor is in row %d, column %d, should be in row %zu, column %zu", keys,
                 screen.row, screen.column, column / columns, column % columns);
}

/* Type keys with every window width that makes a difference; line and screen must be right each time. */
static void expect(const char *keys, const char *line, size_t cursor)
{
    static const int widths[] = {80, 20, 11, 10, 7};

    for (int i = 0; i < 10; i++) {
        start(widths[i / 2]);
        assert_int_equal(type(keys, i % 2), EDIT_MORE);
        if (strcmp(edit.line.data, line) != 0 || edit.cursor != cursor)
            fail_msg("'%s' should give '%s' with the cursor at %zu, but gives '%s' and %zu", keys, line,
                     cursor, edit.line.data, edit.cursor);
        expect_screen(keys, line, cursor);
        edit_end(&edit);
    }
}

static void keys_move_and_erase(void **state)
{
    (void)state;
    expect("hello", "hello", 5);
    expect("hello" LEFT LEFT "X", "helXlo", 4);
    expect("hello" HOME "X" END "Y", "XhelloY", 7);
    expect("hello\001\006\006\004", "helo", 2);
    expect("hello\177\177", "hel", 3);
    expect("hello" LEFT DELETE DELETE, "hell", 4);
    expect("one two three\027", "one two ", 8);
    expect("one two\001\006\006\006\013", "one", 3);
    expect("one two" LEFT LEFT LEFT "\025", "two", 0);
    expect(LEFT RIGHT "\177" DELETE "\027\025\013", "", 0);
    expect("a" LEFT LEFT LEFT "b" RIGHT RIGHT RIGHT "c", "bac", 3);
}

static void long_lines_wrap(void **state)
{
    (void)state;
    expect("12345678", "12345678", 8); /* fills a row of 10 exactly */
    expect("12345678" LEFT RIGHT, "12345678", 8);
    expect("123456789" LEFT, "123456789", 8);
    expect("12345678901234567890" HOME "X", "X12345678901234567890", 1);
    expect("12345678901234567890\001\006\006\013", "12", 2);
    expect("12345678901234567890\177\177\177", "12345678901234567", 17);
    expect("123456789012345678" HOME END "!", "123456789012345678!", 19);
}

static void unknown_keys_do_nothing(void **state)
{
    (void)state;
    expect("a\033[5~\033[200~b\033[201~\033Oz\033x\033[1;5Cc", "abc", 3);
    expect("a\001\002\024\036", "a", 0);
    expect("\033[999999999999999999999999999999~a", "a", 1);
}

static void lines_end(void **state)
{
    (void)state;
    start(80);
    assert_int_equal(type("", true), EDIT_MORE);
    assert_int_equal(type("abc\r", true), EDIT_LINE);
    assert_string_equal(edit.line.data, "abc");
    edit_end(&edit);
    start(80);
    assert_int_equal(type("abc\003", true), EDIT_CANCEL);
    edit_end(&edit);
    start(80);
    assert_int_equal(type("\004", true), EDIT_END);
    edit_end(&edit);
    expect("abc\004", "abc", 3); /* ^D ends the input only on an empty line */
}

static void history_is_recalled(void **state)
{
    (void)state;
    history_add(&history, "first");
    history_add(&history, "second");
    history_add(&history, "second"); /* once is enough */
    history_add(&history, "");
    assert_int_equal(history.count, 2);
    expect(UP, "second", 6);
    expect(UP UP, "first", 5);
    expect(UP UP UP, "first", 5);
    expect("draft" UP DOWN, "draft", 5);
    expect(UP UP DOWN "!", "second!", 7);
    expect(DOWN, "", 0);
    for (int i = 0; i < 2 * HISTORY_LINES; i++) {
        char line[20];
        snprintf(line, sizeof line, "line %d", i);
        history_add(&history, line);
    }
    assert_int_equal(history.count, HISTORY_LINES);
    assert_string_equal(history.lines[HISTORY_LINES - 1], "line 999");
    while (history.count)
        free(history.lines[--history.count]);
}

static void complete_fruit(struct edit *e, const char *word, bool is_command, struct text *out)
{
    static const char *const fruit[] = {"apple", "apricot", "banana", "dir/"};

    (void)e;
    for (size_t i = 0; i < 4; i++)
        if (strncmp(fruit[i], word, strlen(word)) == 0) {
            text_append(out, fruit[i], strlen(fruit[i]));
            text_add(out, '\n');
        }
    if (is_command && strncmp("run", word, strlen(word)) == 0)
        text_append(out, "run\n", 4);
}

static void expect_completion(const char *keys, const char *line)
{
    start(80);
    edit.complete = complete_fruit;
    type(keys, true);
    if (strcmp(edit.line.data, line) != 0)
        fail_msg("'%s' should complete to '%s', but gives '%s'", keys, line, edit.line.data);
    edit_end(&edit);
}

static void tab_completes(void **state)
{
    (void)state;
    expect_completion("ls b\t", "ls banana ");
    expect_completion("ls a\t", "ls ap"); /* as far as all agree */
    expect_completion("ls ap\t", "ls ap");
    expect_completion("ls d\t", "ls dir/"); /* no blank: the path goes on */
    expect_completion("ls x\t", "ls x");
    expect_completion("ls r\t", "ls r"); /* a command's name only where a command stands */
    expect_completion("r\t", "run ");
    expect_completion("ls | r\t", "ls | run ");
    expect_completion("b\001\tX", "Xb"); /* nothing before the cursor agrees: a list, the line stays */
}

static void characters_of_several_bytes_move_as_one(void **state)
{
    (void)state;
    start(80);
    type("\303\244\303\266" LEFT "x", false);
    assert_string_equal(edit.line.data, "\303\244x\303\266");
    type(END "\177", false);
    assert_string_equal(edit.line.data, "\303\244x");
    edit_end(&edit);
}

static void a_paste_arrives_whole(void **state)
{
    size_t size = 64 * 1024;

    (void)state;
    start(80);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(edit_feed(&edit, 'a' + i % 26), EDIT_MORE);
    assert_int_equal(edit.line.length, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(edit.line.data[i], 'a' + i % 26);
    edit_refresh(&edit);
    assert_true(edit.output.length < size + 1000); /* drawn once, not once for each byte */
    edit_end(&edit);
}

/* Whatever is typed, the screen shows the line. */
static void random_keys_keep_screen_and_line_together(void **state)
{
    static const char *const keys[] = {"a",    "bc", " ",  LEFT,   RIGHT,  HOME,   END,    "\177",
                                       "\027", UP,   DOWN, "\013", "\025", DELETE, "wide", "\033[9~"};
    uint32_t seed = 99;

    (void)state;
    history_add(&history, "an older line of some length");
    for (int round = 0; round < 3000; round++) {
        start(5 + round % 17);
        for (int i = 0; i < 25 && edit.line.length < 40; i++) {
            seed = seed * 1664525 + 1013904223;
            type(keys[(seed >> 16) % (sizeof keys / sizeof *keys)], seed & 1);
            expect_screen("random keys", edit.line.data, edit.cursor);
        }
        edit_end(&edit);
    }
    free(history.lines[0]);
    history.count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_move_and_erase),
        cmocka_unit_test(long_lines_wrap),
        cmocka_unit_test(unknown_keys_do_nothing),
        cmocka_unit_test(lines_end),
        cmocka_unit_test(history_is_recalled),
        cmocka_unit_test(tab_completes),
        cmocka_unit_test(characters_of_several_bytes_move_as_one),
        cmocka_unit_test(a_paste_arrives_whole),
        cmocka_unit_test(random_keys_keep_screen_and_line_together),
    };

    return cmocka_run_group_tests_name("line_editor", tests, NULL, NULL);
}
