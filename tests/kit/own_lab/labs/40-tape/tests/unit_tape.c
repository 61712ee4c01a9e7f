/* Lab 40: a tape reads what was written, from where its head is, and ends. */
/* sources: hypervisor/devices/tape.c */
#include <errno.h>
#include "expect.h"
#include "devices/tape.h"

static void a_new_tape_has_nothing_to_read(void **state)
{
    struct tape tape = {0};

    (void)state;
    expect_number((uint64_t)tape_read(&tape), (uint64_t)-ENODATA, "nothing was written: -ENODATA");
}

static void writing_moves_the_head(void **state)
{
    struct tape tape = {0};

    (void)state;
    expect_number((uint64_t)tape_write(&tape, 7), 0, "there is room");
    expect_number(tape.head, 1, "the next byte goes into the next cell");
    expect_number(tape.end, 1, "one cell was written");
}

static void what_was_written_is_read_after_rewinding(void **state)
{
    struct tape tape = {0};

    (void)state;
    for (uint8_t byte = 1; byte <= 3; byte++)
        tape_write(&tape, byte);
    tape_seek(&tape, 0);
    for (uint8_t byte = 1; byte <= 3; byte++)
        expect_number((uint64_t)tape_read(&tape), byte,
                      "bytes come back in the order in which they were written");
    expect_number((uint64_t)tape_read(&tape), (uint64_t)-ENODATA, "and then there is no more");
}

static void bytes_have_no_sign(void **state)
{
    struct tape tape = {.cells = {0x80}, .end = 1};

    (void)state;
    expect_number((uint64_t)tape_read(&tape), 0x80,
                  "a byte is 0 to 255; a negative number would be an error");
}

static void writing_in_the_middle_keeps_the_rest(void **state)
{
    struct tape tape = {.cells = {1, 2, 3}, .head = 1, .end = 3};

    (void)state;
    tape_write(&tape, 9);
    expect_number(tape.cells[1], 9, "the byte goes where the head is");
    expect_number(tape_left(&tape), 1, "the last of the three bytes is still there");
}

static void a_full_tape_takes_no_more(void **state)
{
    struct tape tape = {0};

    (void)state;
    for (unsigned i = 0; i < TAPE_CELLS; i++)
        expect_number((uint64_t)tape_write(&tape, 1), 0, "there is room for TAPE_CELLS bytes");
    expect_number((uint64_t)tape_write(&tape, 1), (uint64_t)-ENOSPC, "and for no more");
    expect_number(tape.end, TAPE_CELLS, "a write that fails changes nothing");
}

static void seeking_stops_at_the_end(void **state)
{
    struct tape tape = {.end = 3};

    (void)state;
    tape_seek(&tape, 2);
    expect_number(tape.head, 2, "cell 2 was written");
    tape_seek(&tape, 100);
    expect_number(tape.head, 3, "the guest gives the number: it can be any, and the tape ends");
}

static void left_is_what_can_still_be_read(void **state)
{
    struct tape tape = {.head = 1, .end = 3};

    (void)state;
    expect_number(tape_left(&tape), 2, "cells 1 and 2 can be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_tape_has_nothing_to_read),
        cmocka_unit_test(writing_moves_the_head),
        cmocka_unit_test(what_was_written_is_read_after_rewinding),
        cmocka_unit_test(bytes_have_no_sign),
        cmocka_unit_test(writing_in_the_middle_keeps_the_rest),
        cmocka_unit_test(a_full_tape_takes_no_more),
        cmocka_unit_test(seeking_stops_at_the_end),
        cmocka_unit_test(left_is_what_can_still_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
