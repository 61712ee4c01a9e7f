/* The shell's lexer and parser: trees for good input, messages for bad input, and no crash for any input. */
/* sources: guestos/user/sh/lex.c guestos/user/sh/parse.c guestos/user/sh/arena.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "guestos/user/sh/sh.h"

/* --- trees as text: (list (simple a) ...) --- */

static void describe(struct text *out, const struct node *node);

static void add(struct text *out, const char *string)
{
    text_append(out, string, strlen(string));
}

static void describe_words(struct text *out, const struct word *word)
{
    for (; word; word = word->next) {
        add(out, " ");
        add(out, word->text);
    }
}

static void describe_redirects(struct text *out, const struct redirect *redirect)
{
    static const char *const signs[] = {[TOKEN_LESS] = "<",
                                        [TOKEN_GREAT] = ">",
                                        [TOKEN_APPEND] = ">>",
                                        [TOKEN_LESS_AND] = "<&",
                                        [TOKEN_GREAT_AND] = ">&"};

    for (; redirect; redirect = redirect->next)
        add(out, arena_format(out->arena, " %d%s%s", redirect->fd, signs[redirect->kind], redirect->target));
}

static void describe_children(struct text *out, const struct node *node)
{
    for (const struct node *child = node->children; child; child = child->next) {
        if (node->kind == NODE_AND_OR && child != node->children)
            add(out, child->join == TOKEN_AND ? " &&" : " ||");
        add(out, " ");
        describe(out, child);
    }
}

static void describe(struct text *out, const struct node *node)
{
    static const char *const names[] = {"simple", "list", "and-or", "pipeline", "subshell",
                                        "group",  "if",   "while",  "until",    "for"};

    add(out, node->negated ? "(!" : "(");
    add(out, names[node->kind]);
    if (node->name)
        add(out, arena_format(out->arena, " %s%s", node->name, node->has_in ? " in" : ""));
    describe_words(out, node->assignments);
    describe_words(out, node->words);
    describe_redirects(out, node->redirects);
    describe_children(out, node);
    add(out, node->background ? ")&" : ")");
}

static void expect_tree(const char *input, const char *expected)
{
    struct arena arena = {0};
    struct text out = {.arena = &arena};
    const char *message;
    struct node *tree;
    int line = 1;
    enum parse_status status = parse(&arena, input, &tree, &message, &line);

    if (status != PARSE_OK)
        fail_msg("'%s' is correct, but the parser says in line %d: %s", input, line, message);
    if (tree)
        describe(&out, tree);
    if (strcmp(out.data ? out.data : "", expected) != 0)
        fail_msg("'%s' should parse as\n  %s\nbut the tree is\n  %s", input, expected,
                 out.data ? out.data : "empty");
    arena_free(&arena);
}

static void expect_failure(const char *input, enum parse_status expected, int expected_line, const char *part)
{
    struct arena arena = {0};
    const char *message;
    struct node *tree;
    int line = 1;
    enum parse_status status = parse(&arena, input, &tree, &message, &line);

    if (status != expected)
        fail_msg("'%s' should be %s", input,
                 expected == PARSE_ERROR ? "an error that no further line can repair"
                                         : "incomplete: the shell then reads another line");
    if (line != expected_line || !strstr(message, part))
        fail_msg("'%s': the message is \"line %d: %s\"; it should name line %d and say '%s'", input, line,
                 message, expected_line, part);
    arena_free(&arena);
}

static void words_keep_their_quotes(void **state)
{
    (void)state;
    expect_tree("echo 'a b' \"c $x\" d\\ e", "(list (simple echo 'a b' \"c $x\" d\\ e))");
    expect_tree("echo $(a; b | c) `d e` ${x:-y z}", "(list (simple echo $(a; b | c) `d e` ${x:-y z}))");
    expect_tree("echo \"$(echo \")\")\"", "(list (simple echo \"$(echo \")\")\"))");
    expect_tree("echo a#b # comment", "(list (simple echo a#b))");
    expect_tree("a\\\nb c", "(list (simple a\\\nb c))");
}

static void lists_and_joins(void **state)
{
    (void)state;
    expect_tree("", "");
    expect_tree("  # nothing\n\n", "");
    expect_tree("a; b & c", "(list (simple a) (simple b)& (simple c))");
    expect_tree("a && b || c", "(list (and-or (simple a) && (simple b) || (simple c)))");
    expect_tree("a | b | c && d",
                "(list (and-or (pipeline (simple a) (simple b) (simple c)) && (simple d)))");
    expect_tree("! a | b", "(list (!pipeline (simple a) (simple b)))");
    expect_tree("a |\n b &&\n\n c", "(list (and-or (pipeline (simple a) (simple b)) && (simple c)))");
}

static void redirections_and_assignments(void **state)
{
    (void)state;
    expect_tree("a <in >out 2>>log 2>&1", "(list (simple a 0<in 1>out 2>>log 2>&1))");
    expect_tree(">f", "(list (simple 1>f))");
    expect_tree("x=1 y=2 a z=3", "(list (simple x=1 y=2 a z=3))");
    expect_tree("a 2 >f", "(list (simple a 2 1>f))"); /* only digits right before > number it */
    expect_tree("{ a; } >f", "(list (group 1>f (list (simple a))))");
    expect_tree("a >&-", "(list (simple a 1>&-))");
}

static void compound_commands(void **state)
{
    (void)state;
    expect_tree("(a; b)", "(list (subshell (list (simple a) (simple b))))");
    expect_tree("if a; then b; elif c; then d; else e; fi",
                "(list (if (list (simple a)) (list (simple b)) (list (simple c)) (list (simple d)) (list "
                "(simple e))))");
    expect_tree("while a; do b; done | c",
                "(list (pipeline (while (list (simple a)) (list (simple b))) (simple c)))");
    expect_tree("until a\ndo b\ndone", "(list (until (list (simple a)) (list (simple b))))");
    expect_tree("for i in a b; do c; done", "(list (for i in a b (list (simple c))))");
    expect_tree("for i\ndo c; done", "(list (for i (list (simple c))))");
    expect_tree("echo if then fi done }",
                "(list (simple echo if then fi done }))"); /* no reserved words here */
}

static void incomplete_input_says_what_is_missing(void **state)
{
    (void)state;
    expect_failure("echo 'a\nb", PARSE_INCOMPLETE, 1, "single quote");
    expect_failure("a\necho \"b", PARSE_INCOMPLETE, 2, "double quote");
    expect_failure("echo $(a", PARSE_INCOMPLETE, 1, "$(");
    expect_failure("echo ${a", PARSE_INCOMPLETE, 1, "${");
    expect_failure("echo `a", PARSE_INCOMPLETE, 1, "backquote");
    expect_failure("echo a\\\n", PARSE_INCOMPLETE, 1, "backslash");
    expect_failure("a |", PARSE_INCOMPLETE, 1, "after '|'");
    expect_failure("a &&\n", PARSE_INCOMPLETE, 2, "after '&&'");
    expect_failure("if a\nthen b", PARSE_INCOMPLETE, 2, "'if' of line 1 needs 'fi'");
    expect_failure("\nwhile a; do b", PARSE_INCOMPLETE, 2, "'while' of line 2 needs 'done'");
    expect_failure("(a", PARSE_INCOMPLETE, 1, "'(' of line 1 needs ')'");
}

static void wrong_input_says_what_and_where(void **state)
{
    (void)state;
    expect_failure("fi", PARSE_ERROR, 1, "'fi'");
    expect_failure("a\nb )", PARSE_ERROR, 2, "')'");
    expect_failure("| a", PARSE_ERROR, 1, "'|'");
    expect_failure("a;; b", PARSE_ERROR, 1, "';'");
    expect_failure("a | | b", PARSE_ERROR, 1, "after '|'");
    expect_failure("if a; b; fi", PARSE_ERROR, 1, "needs 'then'");
    expect_failure("if ; then a; fi", PARSE_ERROR, 1, "missing after 'if'");
    expect_failure("while a; do done", PARSE_ERROR, 1, "missing after 'do'");
    expect_failure("for 1x in a; do b; done", PARSE_ERROR, 1, "name of a variable");
    expect_failure("{ a; } b", PARSE_ERROR, 1, "'b'");
    expect_failure("f() { a; }", PARSE_ERROR, 1, "functions");
    expect_failure("a <<E", PARSE_ERROR, 1, "here-documents");
    expect_failure("a >\nb", PARSE_ERROR, 1, "file name");
    expect_failure("a 12345>f", PARSE_ERROR, 1, "999");
}

/* Recursion must end long before the stack does. */
static void deep_nesting_is_refused(void **state)
{
    static const char *const openings[] = {"(", "{ ", "if ", "while ", "$(", "\"$(", "${x:-", "$(("};
    char *input = malloc(100000 * 8 + 1);

    (void)state;
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        *input = '\0';
        char *end = input;
        for (int n = 0; n < 100000; n++)
            end = stpcpy(end, openings[i]);
        expect_failure(input, PARSE_ERROR, 1, "nested too deeply");
    }
    free(input);
}

static void moderate_nesting_is_accepted(void **state)
{
    char input[200] = "";
    struct arena arena = {0};
    const char *message;
    struct node *tree;
    int line = 1;

    (void)state;
    memset(input, '(', 90);
    input[90] = 'a';
    memset(input + 91, ')', 90);
    assert_int_equal(parse(&arena, input, &tree, &message, &line), PARSE_OK);
    arena_free(&arena);
}

static void long_input_is_taken_whole(void **state)
{
    struct arena arena = {0};
    struct text input = {.arena = &arena};
    const char *message;
    struct node *tree;
    int line = 1, count = 0;

    (void)state;
    for (int i = 0; i < 50000; i++)
        add(&input, "a && b; c | d\n");
    assert_int_equal(parse(&arena, input.data, &tree, &message, &line), PARSE_OK);
    for (struct node *item = tree->children; item; item = item->next)
        count++;
    assert_int_equal(count, 100000);
    arena_free(&arena);
}

/* Random pieces of syntax: whatever the verdict, no crash, no leak, no endless loop, and a message with every
 * failure. */
static void any_input_gets_a_verdict(void **state)
{
    static const char *const pieces[] = {
        "a",   " ",     "\n",  ";",     "&",    "&&",  "|",   "||",   "(",      ")",   "{ ", " }",
        "if ", "then ", "fi",  "else ", "for ", "in ", "do ", "done", "while ", "'",   "\"", "`",
        "$(",  "${",    "$((", "))",    "}",    "\\",  "<",   ">",    "2>&1",   "x=1", "#",  "!"};
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct arena arena = {0};
        struct text input = {.arena = &arena};
        const char *message;
        struct node *tree;
        int line = 1;
        for (int i = 0; i < 24; i++) {
            seed = seed * 1664525 + 1013904223;
            add(&input, pieces[(seed >> 16) % (sizeof pieces / sizeof *pieces)]);
        }
        if (parse(&arena, input.data, &tree, &message, &line) != PARSE_OK && (!message || line < 1))
            fail_msg("'%s' is refused without a message or a line", input.data);
        arena_free(&arena);
    }
}

static void names_are_told_from_other_words(void **state)
{
    (void)state;
    assert_true(is_name("PATH", 4));
    assert_true(is_name("_a1", 3));
    assert_false(is_name("1a", 2));
    assert_false(is_name("a-b", 3));
    assert_false(is_name("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_keep_their_quotes),
        cmocka_unit_test(lists_and_joins),
        cmocka_unit_test(redirections_and_assignments),
        cmocka_unit_test(compound_commands),
        cmocka_unit_test(incomplete_input_says_what_is_missing),
        cmocka_unit_test(wrong_input_says_what_and_where),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(moderate_nesting_is_accepted),
        cmocka_unit_test(long_input_is_taken_whole),
        cmocka_unit_test(any_input_gets_a_verdict),
        cmocka_unit_test(names_are_told_from_other_words),
    };

    return cmocka_run_group_tests_name("shell", tests, NULL, NULL);
}
