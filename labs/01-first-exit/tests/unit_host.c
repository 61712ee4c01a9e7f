/* Lab 1: files of the host that an option names: what cannot be used is refused, and waits for nobody. */
/* sources: hypervisor/host.c */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "vm.h"

static char path[64];
static uint64_t size;

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof path, P_tmpdir "/terrarium-host-%d", getpid());
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void a_file_is_made_and_read(void **state)
{
    char text[8] = "";

    (void)state;
    assert_true(host_open("--test", path, &size) < 0); /* there is none */
    for (unsigned i = 0; i < 2; i++) {
        int fd = host_create("--test", path, O_APPEND);
        assert_int_equal(write(fd, "abc", 3), 3);
        close(fd);
    }
    int fd = host_open("--test", path, &size);
    assert_int_equal(size, 6);
    assert_int_equal(host_read_at(fd, text, 6, 0), 0);
    assert_string_equal(text, "abcabc");
    assert_int_equal(host_read_at(fd, text, 6, 1), -EIO);
    close(fd);
    close(host_create("--test", path, O_TRUNC));
    close(host_open("--test", path, &size));
    assert_int_equal(size, 0);
}

static void pipes_are_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(host_open("--test", path, &size), -ESPIPE);
    assert_int_equal(host_create("--test", path, O_APPEND), -EIO);
    int reader = open(path, O_RDONLY | O_NONBLOCK), fd = host_create("--test", path, O_APPEND);
    assert_true(fd >= 0);
    assert_false(fcntl(fd, F_GETFL) &
                 O_NONBLOCK); /* a reader that is slow makes us wait, and loses nothing */
    close(fd);
    close(reader);
}

static void directories_are_refused(void **state)
{
    (void)state;
    assert_true(host_open("--test", "/", &size) < 0);
    assert_true(host_create("--test", "/", O_TRUNC) < 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(a_file_is_made_and_read),
        TEST(pipes_are_not_waited_for),
        TEST(directories_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
