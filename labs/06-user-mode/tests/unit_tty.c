/* The terminal of Moss: what typed bytes become for the program that reads, and what the screen shows
 * meanwhile. */
/* sources: guestos/drivers/tty.c tests/unit/moss_host.c */
#include <errno.h>
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "guestos/include/boot.h"
#include "guestos/include/console.h"
#include "guestos/include/errno.h"
#include "guestos/include/init.h"
#include "guestos/include/process.h"
#include "guestos/include/user.h"
#include "guestos/include/vfs.h"

#define INPUT_SIZE 4096 /* bytes that wait for a reader */

extern const struct init_call __start_inits[];
extern const struct devfile __start_devfiles[];

static const char *flags; /* the kernel command line */
static bool (*type)(int byte);
static void (*resize)(unsigned rows, unsigned columns);
static unsigned room_for_writes; /* so many go well before a signal comes */
static char screen[8192];
static size_t screen_size;
static unsigned resumed;
static int group_told, signal_told;
static struct file file;

/* --- the kernel around it --- */

bool boot_flag(const char *word)
{
    return strstr(flags, word) != NULL;
}

void console_set_reader(bool (*take)(int byte))
{
    type = take;
}

void console_resume_input(void)
{
    resumed++;
}

void console_on_resize(void (*tell)(unsigned rows, unsigned columns))
{
    resize = tell;
}

bool console_write_sleeping(const char *bytes, size_t n, bool more)
{
    (void)more;
    assert_in_range(n, 1, CONSOLE_CHUNK);
    if (room_for_writes == 0)
        return false;
    room_for_writes--;
    console_write(bytes, n);
    return true;
}

void console_write(const char *bytes, size_t n)
{
    assert_true(screen_size + n < sizeof screen);
    memcpy(screen + screen_size, bytes, n);
    screen_size += n;
    screen[screen_size] = 0;
}

int signal_send_group(int pgid, int signal, struct signal_cause cause)
{
    (void)cause;
    group_told = pgid;
    signal_told = signal;
    return 0;
}

int terminal_read_allowed(int session, int foreground)
{
    (void)session;
    (void)foreground;
    return 0;
}

uint64_t clock_ns(void)
{
    return 0;
}

void wake_all(struct wait_queue *queue)
{
    (void)queue;
}

void poll_changed(void)
{
}

void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    (void)queue;
    (void)deadline;
}

int wait_sleep(uint64_t deadline, bool interruptible)
{
    (void)deadline;
    return interruptible ? -EINTR : 0; /* nobody else is there to type: as if a signal came */
}

void wait_finish(struct wait_queue *queue)
{
    (void)queue;
}

int copy_from_user(void *to, uint64_t from, size_t n)
{
    memcpy(to, (const void *)from, n);
    return 0;
}

int copy_to_user(uint64_t to, const void *from, size_t n)
{
    memcpy((void *)to, from, n);
    return 0;
}

/* --- using it --- */

static const struct vnode_ops *tty(void)
{
    return __start_devfiles[0].ops;
}

static int ioctl(uint32_t request, void *arg)
{
    return tty()->ioctl(&file, request, (uint64_t)arg);
}

static void set_lflag(uint32_t clear, uint32_t set, uint32_t request)
{
    struct termios settings;

    assert_int_equal(ioctl(TCGETS, &settings), 0);
    settings.lflag = (settings.lflag & ~clear) | set;
    assert_int_equal(ioctl(request, &settings), 0);
}

static void begin(const char *words)
{
    flags = words;
    __start_inits[0].call();
    screen_size = 0;
    screen[0] = 0;
    resumed = 0;
    room_for_writes = 100;
    group_told = signal_told = 0;
    file.flags = O_NONBLOCK; /* a read that would wait says -EAGAIN */
}

/* A terminal with nothing typed, in canonical mode. */
static int begin_terminal(void **state)
{
    int group = 7;

    (void)state;
    begin("");
    set_lflag(0, ICANON | ECHO | ISIG, TCSETSF);
    assert_int_equal(ioctl(TIOCSPGRP, &group), 0);
    return 0;
}

static void type_text(const char *text)
{
    for (; *text; text++)
        assert_true(type((unsigned char)*text));
}

/* What one read of up to `n` bytes gives, as a string; "(wait)" if it would wait. */
static const char *read_up_to(size_t n)
{
    static char text[2 * INPUT_SIZE];
    ssize_t got = tty()->stream_read(&file, text, n);

    if (got == -EAGAIN)
        return "(wait)";
    assert_true(got >= 0);
    text[got] = 0;
    return text;
}

static const char *read_line(void)
{
    return read_up_to(INPUT_SIZE);
}

static void a_line_is_read_when_it_is_complete(void **state)
{
    (void)state;
    type_text("ls -l");
    assert_string_equal(read_line(), "(wait)");
    assert_int_equal(tty()->poll(&file) & POLLIN, 0);
    type_text("\r");
    assert_int_equal(tty()->poll(&file) & POLLIN, POLLIN);
    assert_string_equal(read_line(), "ls -l\n");
    assert_string_equal(screen, "ls -l\r\n");
}

static void a_read_gives_one_line_at_most(void **state)
{
    (void)state;
    type_text("one\ntwo\n");
    assert_string_equal(read_up_to(2), "on");
    assert_string_equal(read_line(), "e\n");
    assert_string_equal(read_line(), "two\n");
    assert_string_equal(read_line(), "(wait)");
}

static void erase_takes_back_a_character(void **state)
{
    (void)state;
    type_text("ab\x7f\x7f\x7f\x08"
              "c\n");
    assert_string_equal(read_line(), "c\n");
    assert_string_equal(screen, "ab\b \b\b \bc\r\n");
}

static void erase_takes_back_all_bytes_of_a_character(void **state)
{
    (void)state;
    type_text("a\xe2\x82\xac\x7f"
              "b\n"); /* the euro sign is three bytes and one column */
    assert_string_equal(read_line(), "ab\n");
}

static void erase_stays_within_the_line(void **state)
{
    (void)state;
    type_text("one\n\x7f\x7ftwo\n");
    assert_string_equal(read_line(), "one\n");
    assert_string_equal(read_line(), "two\n");
}

static void kill_takes_back_the_line(void **state)
{
    (void)state;
    type_text("one\nrm -rf /\x15ls\n");
    assert_string_equal(read_line(), "one\n");
    assert_string_equal(read_line(), "ls\n");
}

static void end_of_file_ends_one_read(void **state)
{
    (void)state;
    type_text("\x04");
    assert_int_equal(tty()->poll(&file) & POLLIN, POLLIN);
    assert_string_equal(read_line(), "");
    assert_string_equal(read_line(), "(wait)");
    type_text("half\x04"); /* behind text it only hands the text over */
    assert_string_equal(read_line(), "half");
    assert_string_equal(read_line(), "(wait)");
}

static void the_end_waits_for_what_was_typed_before(void **state)
{
    (void)state;
    type_text("one\ntwo\n\x04three\n");
    assert_string_equal(read_line(), "one\n");
    assert_string_equal(read_line(), "two\n");
    assert_string_equal(read_line(), "");
    assert_string_equal(read_line(), "three\n");
}

static void interrupt_tells_the_foreground_and_forgets_the_line(void **state)
{
    (void)state;
    type_text("half a line\x03");
    assert_int_equal(group_told, 7);
    assert_int_equal(signal_told, SIGINT);
    type_text("ls\n");
    assert_string_equal(read_line(), "ls\n");
    assert_string_equal(screen, "half a line^Cls\r\n");
    type_text("\x1c");
    assert_int_equal(signal_told, SIGQUIT);
    type_text("\x1a");
    assert_int_equal(signal_told, SIGTSTP);
}

static void without_isig_an_interrupt_is_a_byte(void **state)
{
    (void)state;
    set_lflag(ISIG, 0, TCSETS);
    type_text("\x03\n");
    assert_int_equal(signal_told, 0);
    assert_string_equal(read_line(), "\x03\n");
}

static void without_echo_nothing_is_shown(void **state)
{
    (void)state;
    set_lflag(ECHO, 0, TCSETS);
    type_text("secreX\x7ft\n");
    assert_string_equal(read_line(), "secret\n");
    assert_string_equal(screen, "");
}

static void raw_mode_gives_every_byte_at_once(void **state)
{
    (void)state;
    set_lflag(ICANON | ECHO | ISIG, 0, TCSETS);
    type_text("a\x7f\x03");
    assert_string_equal(read_line(), "a\x7f\x03");
    assert_string_equal(read_line(), "(wait)");
}

static void a_half_typed_line_can_be_read_in_raw_mode(void **state)
{
    (void)state;
    type_text("half");
    set_lflag(ICANON, 0, TCSETS);
    assert_string_equal(read_line(), "half");
    type_text("gone");
    set_lflag(0, ICANON, TCSETSF); /* the flush forgets it */
    type_text("new\n");
    assert_string_equal(read_line(), "new\n");
}

static void a_newline_also_goes_to_the_left(void **state)
{
    char text[600];

    (void)state;
    tty()->stream_write(&file, "a\nb\n", 4);
    assert_string_equal(screen, "a\r\nb\r\n");
    screen_size = 0;
    memset(text, '\n', sizeof text);
    assert_int_equal(tty()->stream_write(&file, text, sizeof text), sizeof text);
    assert_int_equal(screen_size, 2 * sizeof text);
}

static void a_signal_ends_a_write_that_waits(void **state)
{
    char text[600];

    (void)state;
    memset(text, 'x', sizeof text);
    room_for_writes = 1;
    ssize_t done = tty()->stream_write(&file, text, sizeof text);
    assert_in_range(done, 1, sizeof text - 1);
    assert_int_equal(screen_size, done);
    assert_int_equal(tty()->stream_write(&file, text, sizeof text), -ERESTARTSYS);
}

static void a_new_window_size_is_told_to_the_foreground(void **state)
{
    struct winsize size;

    (void)state;
    resize(40, 132);
    assert_int_equal(group_told, 7);
    assert_int_equal(signal_told, SIGWINCH);
    assert_int_equal(ioctl(TIOCGWINSZ, &size), 0);
    assert_int_equal(size.rows, 40);
    assert_int_equal(size.columns, 132);
    group_told = 0;
    assert_int_equal(ioctl(TIOCSWINSZ, &size), 0); /* the same again is no news */
    assert_int_equal(group_told, 0);
}

static void a_full_buffer_refuses_and_loses_nothing(void **state)
{
    (void)state;
    set_lflag(ECHO, 0, TCSETS);
    for (int i = 0; i < INPUT_SIZE; i++)
        assert_true(type('a' + i % 26)); /* a line that never ends is handed over when it fills the buffer */
    assert_false(type('!'));
    const char *text = read_up_to(100);
    assert_int_equal(resumed, 1);
    for (int i = 0; i < 100; i++)
        assert_int_equal(text[i], 'a' + i % 26);
    assert_true(type('!'));
    assert_int_equal(strlen(read_line()), INPUT_SIZE - 100);
    assert_int_equal(resumed, 1);
}

static void a_pipe_passes_bytes_untouched(void **state)
{
    (void)state;
    begin("notty");
    assert_int_equal(ioctl(TCGETS, NULL), -ENOTTY);
    type_text("a\x7f\x03\r\x04z");
    assert_string_equal(read_line(), "a\x7f\x03\r\x04z");
    tty()->stream_write(&file, "b\n", 2);
    assert_string_equal(screen, "b\n"); /* no echo, no carriage return */
    type(CONSOLE_EOF);
    assert_string_equal(read_line(), "");
    assert_string_equal(read_line(), ""); /* and for ever */
}

static void an_escaped_line_begins_and_ends_by_marks(void **state)
{
    static const char sent[] = "noise\x04sab\x04\x04"
                               "c\x04"
                               "e";

    (void)state;
    begin("notty escaped");
    type_text(sent);
    assert_string_equal(read_line(), "ab\x04"
                                     "c");
    assert_string_equal(read_line(), "");
}

#define TEST(name) cmocka_unit_test_setup(name, begin_terminal)

/* The tests of pipes come last: a pipe's end stays. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_read_when_it_is_complete),
        TEST(a_read_gives_one_line_at_most),
        TEST(erase_takes_back_a_character),
        TEST(erase_takes_back_all_bytes_of_a_character),
        TEST(erase_stays_within_the_line),
        TEST(kill_takes_back_the_line),
        TEST(end_of_file_ends_one_read),
        TEST(the_end_waits_for_what_was_typed_before),
        TEST(interrupt_tells_the_foreground_and_forgets_the_line),
        TEST(without_isig_an_interrupt_is_a_byte),
        TEST(without_echo_nothing_is_shown),
        TEST(raw_mode_gives_every_byte_at_once),
        TEST(a_half_typed_line_can_be_read_in_raw_mode),
        TEST(a_newline_also_goes_to_the_left),
        TEST(a_signal_ends_a_write_that_waits),
        TEST(a_new_window_size_is_told_to_the_foreground),
        TEST(a_full_buffer_refuses_and_loses_nothing),
        TEST(a_pipe_passes_bytes_untouched),
        TEST(an_escaped_line_begins_and_ends_by_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
