/*
 * The line editor's core: bytes from the keyboard in, bytes for the screen out. It keeps the line, the cursor
 * and where on the screen it is; it knows no terminal, so tests feed it bytes and look at the result.
 */
#include "sh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)

/* Characters of several bytes (UTF-8) take one column; their later bytes take none. */
static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t width(const char *text, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += starts_character(text[i]);
    return columns;
}

static void show(struct edit *edit, const char *text, size_t length)
{
    text_append(&edit->output, text, length);
}

/* Move the cursor `count` steps; direction is ANSI's letter: A up, C right. */
static void show_move(struct edit *edit, size_t count, char direction)
{
    char sequence[32];

    if (count)
        show(edit, sequence, snprintf(sequence, sizeof sequence, "\033[%zu%c", count, direction));
}

/* The column of byte `position` of the line, counted from the prompt's beginning as if the screen were
 * endlessly wide. */
static size_t column_of(const struct edit *edit, size_t position)
{
    return width(edit->prompt, strlen(edit->prompt)) + width(edit->line.data, position);
}

/* Behind the line's last character a full row has not wrapped yet: terminals wait for the next character with
 * that. */
static bool at_edge(const struct edit *edit, size_t position, size_t column)
{
    return position == edit->line.length && column > 0 && column % edit->columns == 0;
}

/* Put the screen's cursor where the line's cursor is. */
static void place_cursor(struct edit *edit)
{
    size_t column = column_of(edit, edit->cursor), row = column / edit->columns;

    show_move(edit, edit->shown_row > row ? edit->shown_row - row : 0, 'A');
    show_move(edit, row > edit->shown_row ? row - edit->shown_row : 0, 'B');
    show(edit, "\r", 1);
    show_move(edit, column % edit->columns, 'C');
    edit->shown_row = row;
    edit->shown_at_end = false;
}

/* Show what was added behind what the screen has, whose cursor is there. */
static void show_rest(struct edit *edit)
{
    size_t new = edit->line.length - edit->shown;

    show(edit, edit->line.data + edit->shown, new);
    edit->end_column += width(edit->line.data + edit->shown, new);
    edit->shown = edit->line.length;
    edit->shown_row = edit->end_column / edit->columns - at_edge(edit, edit->shown, edit->end_column);
    edit->shown_at_end = true;
}

/* Draw everything again, from the prompt's row on. */
static void redraw(struct edit *edit)
{
    show_move(edit, edit->shown_row, 'A');
    show(edit, "\r\033[J", 4);
    show(edit, edit->prompt, strlen(edit->prompt));
    edit->shown = 0;
    edit->end_column = column_of(edit, 0);
    show_rest(edit);
    edit->changed = false;
    if (edit->cursor != edit->line.length)
        place_cursor(edit);
}

void edit_refresh(struct edit *edit)
{
    bool at_end = edit->cursor == edit->line.length;

    if (!edit->changed && at_end && edit->shown_at_end)
        show_rest(edit);
    else if (edit->changed || edit->shown != edit->line.length ||
             (at_end && at_edge(edit, edit->cursor, edit->end_column)))
        redraw(edit);
    else
        place_cursor(edit);
}

static void insert(struct edit *edit, const char *text, size_t length)
{
    char *at;

    edit->changed |= edit->cursor != edit->line.length;
    text_append(&edit->line, text, length);
    at = edit->line.data + edit->cursor;
    memmove(at + length, at, edit->line.length - length - edit->cursor);
    memcpy(at, text, length);
    edit->cursor += length;
}

static void erase(struct edit *edit, size_t from, size_t to)
{
    if (from == to)
        return;
    memmove(edit->line.data + from, edit->line.data + to, edit->line.length - to + 1);
    edit->line.length -= to - from;
    edit->cursor = from;
    edit->changed = true;
}

static size_t previous(const struct edit *edit)
{
    size_t at = edit->cursor;

    while (at > 0 && !starts_character(edit->line.data[--at]))
        ;
    return at;
}

static size_t following(const struct edit *edit)
{
    size_t at = edit->cursor;

    if (at < edit->line.length)
        at++;
    while (at < edit->line.length && !starts_character(edit->line.data[at]))
        at++;
    return at;
}

static size_t word_start(const struct edit *edit)
{
    size_t at = edit->cursor;

    while (at > 0 && edit->line.data[at - 1] == ' ')
        at--;
    while (at > 0 && edit->line.data[at - 1] != ' ')
        at--;
    return at;
}

static void replace_line(struct edit *edit, const char *text)
{
    edit->line.length = 0;
    text_append(&edit->line, text, strlen(text));
    edit->cursor = edit->line.length;
    edit->changed = true;
}

/* Go to the history's line `index`; behind the last one is the line that was being typed. */
static void recall(struct edit *edit, size_t index)
{
    size_t count = edit->history ? edit->history->count : 0;

    if (index > count || index == edit->history_at)
        return;
    if (edit->history_at == count)
        edit->draft = arena_copy(&edit->arena, edit->line.data, edit->line.length);
    edit->history_at = index;
    replace_line(edit, index == count ? edit->draft : edit->history->lines[index]);
}

/* --- completion --- */

static bool is_command_position(const struct edit *edit, size_t start)
{
    while (start > 0 && edit->line.data[start - 1] == ' ')
        start--;
    return start == 0 || strchr("|&;({", edit->line.data[start - 1]);
}

/* How long is the beginning that all candidates, one a line, share? */
static size_t common_length(const char *candidates)
{
    size_t length = strcspn(candidates, "\n");

    for (const char *at = candidates; *at; at += strcspn(at, "\n") + 1)
        for (size_t i = 0; i < length; i++)
            if (at[i] != candidates[i])
                length = i;
    return length;
}

/* Leave the line as it is on the screen and go below it. */
static void show_below(struct edit *edit, const char *text)
{
    edit->cursor = edit->line.length;
    edit_refresh(edit);
    show(edit, text, strlen(text));
}

/* List the candidates below the line; the line itself is then drawn again. */
static void show_candidates(struct edit *edit, const char *candidates)
{
    size_t cursor = edit->cursor;

    show_below(edit, "\r\n");
    for (; *candidates; candidates++)
        *candidates == '\n' ? show(edit, "  ", 2) : show(edit, candidates, 1);
    show(edit, "\r\n", 2);
    edit->shown_row = 0;
    edit->changed = true;
    edit->cursor = cursor;
}

static void complete(struct edit *edit)
{
    struct text found = {.arena = &edit->arena};
    size_t start = edit->cursor, length, have;
    char *word;

    while (start > 0 && !strchr(" |&;<>(", edit->line.data[start - 1]))
        start--;
    have = edit->cursor - start;
    word = arena_copy(&edit->arena, edit->line.data + start, have);
    if (edit->complete)
        edit->complete(edit, word, is_command_position(edit, start), &found);
    if (!found.length) {
        show(edit, "\a", 1); /* the bell: nothing fits */
        return;
    }
    length = common_length(found.data);
    if (length > have)
        insert(edit, found.data + have, length - have);
    if (found.data[length] == '\n' && length + 1 == found.length) { /* the only one, and complete */
        if (found.data[length - 1] != '/')
            insert(edit, " ", 1);
    } else if (length <= have) {
        show_candidates(edit, found.data);
    }
}

/* --- keys --- */

/* A whole escape sequence without its ESC has come; unknown ones do nothing. */
static void take_escape(struct edit *edit, const char *keys)
{
    static const struct {
        const char *keys;
        char key;
    } meanings[] = {
        {"[A", CONTROL('P')}, {"OA", CONTROL('P')}, {"[B", CONTROL('N')},  {"OB", CONTROL('N')},
        {"[C", CONTROL('F')}, {"OC", CONTROL('F')}, {"[D", CONTROL('B')},  {"OD", CONTROL('B')},
        {"[H", CONTROL('A')}, {"OH", CONTROL('A')}, {"[1~", CONTROL('A')}, {"[7~", CONTROL('A')},
        {"[F", CONTROL('E')}, {"OF", CONTROL('E')}, {"[4~", CONTROL('E')}, {"[8~", CONTROL('E')},
    };

    if (strcmp(keys, "[3~") == 0)
        erase(edit, edit->cursor, following(edit));
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(keys, meanings[i].keys) == 0)
            edit_feed(edit, meanings[i].key);
}

/* Collect an escape sequence: ESC, then [ with parameters and a letter or ~, or O and a letter, or one
 * character. */
static void feed_escape(struct edit *edit, char c)
{
    bool first = edit->escape_length == 1, ends;

    ends = first ? c != '[' && c != 'O' : edit->escape[1] == 'O' || (c >= '@' && c <= '~');
    if (edit->escape_length < sizeof edit->escape - 1)
        edit->escape[edit->escape_length++] = c;
    if (!ends)
        return;
    edit->escape[edit->escape_length] = '\0';
    edit->escape_length = 0;
    take_escape(edit, edit->escape + 1);
}

static void feed_key(struct edit *edit, char c)
{
    switch (c) {
    case CONTROL('A'):
        edit->cursor = 0;
        break;
    case CONTROL('E'):
        edit->cursor = edit->line.length;
        break;
    case CONTROL('B'):
        edit->cursor = previous(edit);
        break;
    case CONTROL('F'):
        edit->cursor = following(edit);
        break;
    case CONTROL('P'):
        recall(edit, edit->history_at - 1); /* before the first it wraps to a huge number, which is refused */
        break;
    case CONTROL('N'):
        recall(edit, edit->history_at + 1);
        break;
    case CONTROL('D'):
        erase(edit, edit->cursor, following(edit));
        break;
    case CONTROL('H'):
    case 0x7f:
        erase(edit, previous(edit), edit->cursor);
        break;
    case CONTROL('K'):
        erase(edit, edit->cursor, edit->line.length);
        break;
    case CONTROL('U'):
        erase(edit, 0, edit->cursor);
        break;
    case CONTROL('W'):
        erase(edit, word_start(edit), edit->cursor);
        break;
    case CONTROL('L'):
        edit->shown_row = 0;
        show(edit, "\033[H\033[2J", 7);
        edit->changed = true;
        break;
    case '\t':
        complete(edit);
        break;
    default:
        if ((unsigned char)c >= ' ')
            insert(edit, &c, 1);
    }
}

enum edit_result edit_feed(struct edit *edit, char c)
{
    if (edit->escape_length) {
        feed_escape(edit, c);
    } else if (c == '\033') {
        edit->escape[0] = c;
        edit->escape_length = 1;
    } else if (c == '\r' || c == '\n') {
        show_below(edit, "\r\n");
        return EDIT_LINE;
    } else if (c == CONTROL('C')) {
        show_below(edit, "^C\r\n");
        return EDIT_CANCEL;
    } else if (c == CONTROL('D') && edit->line.length == 0) {
        show_below(edit, "\r\n");
        return EDIT_END;
    } else {
        feed_key(edit, c);
    }
    return EDIT_MORE;
}

void edit_start(struct edit *edit, const char *prompt, size_t columns, const struct history *history)
{
    *edit = (struct edit){.prompt = prompt, .columns = columns ? columns : 80, .history = history};
    edit->line.arena = edit->output.arena = &edit->arena;
    edit->history_at = history ? history->count : 0;
    text_append(&edit->line, "", 0);
    show(edit, prompt,
         strlen(prompt)); /* wherever the cursor is: output without a newline may be before it */
    edit->end_column = column_of(edit, 0);
    edit->shown_row = edit->end_column / edit->columns - at_edge(edit, 0, edit->end_column);
    edit->shown_at_end = true;
}

void edit_end(struct edit *edit)
{
    arena_free(&edit->arena);
}

void history_add(struct history *history, const char *line)
{
    char *copy;

    if (!*line || (history->count && strcmp(history->lines[history->count - 1], line) == 0) ||
        !(copy = strdup(line)))
        return;
    if (history->count == HISTORY_LINES) {
        free(history->lines[0]);
        memmove(history->lines, history->lines + 1, --history->count * sizeof *history->lines);
    }
    history->lines[history->count++] = copy;
}
