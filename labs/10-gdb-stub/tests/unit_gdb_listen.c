/* Lab 10: where gdb may connect from: this machine alone, and by a file only its owner. */
/* sources: hypervisor/inspect/gdb_listen.c hypervisor/inspect/gdb_packet.c */
/* sources: hypervisor/inspect/private_socket.c */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "expect.h"
#include "inspect/gdb.h"

static char directory[32], path[64], place[80];
static unsigned complaints;

int complain(int err, const char *format, ...)
{
    (void)format;
    complaints++;
    return err;
}

static int begin(void **state)
{
    (void)state;
    complaints = 0;
    strcpy(directory, P_tmpdir "/gdb-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    snprintf(place, sizeof place, "unix:%s", path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void connect_to(const char *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, to);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void a_socket_in_the_file_system_is_private(void **state)
{
    struct stat st;

    (void)state;
    mode_t mask = umask(0);
    int fd = gdb_listen(place);
    umask(mask);
    expect_true(fd >= 0, "it listens");
    assert_int_equal(stat(path, &st), 0);
    expect_number(st.st_mode & 0777, 0600,
                  "whoever connects controls the guest: nobody but the owner, whatever the umask");
    connect_to(path);
    gdb_unlisten(fd, place);
    expect_true(stat(path, &st) < 0, "the file goes with the server");
}

static void what_a_killed_run_left_behind_is_replaced(void **state)
{
    (void)state;
    int fd = gdb_listen(place);
    close(fd); /* and the file stays */
    fd = gdb_listen(place);
    expect_true(fd >= 0, "nobody listens on the old one");
    int second = gdb_listen(place);
    expect_number((uint64_t)second, (uint64_t)-EADDRINUSE,
                  "but somebody does on this one: it must be left alone");
    connect_to(path);
    gdb_unlisten(fd, place);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    fputs("precious", file);
    fclose(file);
    expect_true(gdb_listen(place) < 0, "there is a file of that name");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    expect_number((uint64_t)st.st_size, 8, "which must not be harmed");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char longer[200] = "unix:";

    (void)state;
    memset(longer + 5, 'a', sizeof longer - 6);
    expect_number((uint64_t)gdb_listen(longer), (uint64_t)-EINVAL, "sun_path has 108 bytes (unix(7))");
    expect_number((uint64_t)gdb_listen("unix:"), (uint64_t)-EINVAL,
                  "no path: the address would be one without a file, and nobody would ask who may connect");
    expect_number(complaints, 2, "and it is said why");
    longer[5 + 107] = 0;
    expect_true(gdb_listen(longer) != -EINVAL, "107 bytes are a path, with a zero byte behind it");
    unlink(longer + 5);
}

static uint32_t address_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;

    getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohl(address.sin_addr.s_addr);
}

static void a_port_is_on_the_loopback(void **state)
{
    (void)state;
    int fd = gdb_listen("tcp:0"); /* any free port */
    expect_true(fd >= 0, "a port is enough");
    expect_number(address_of(fd), 0x7f000001, "it is that of 127.0.0.1: whoever connects controls the guest");
    gdb_unlisten(fd, "tcp:0");
}

static void other_addresses_are_refused(void **state)
{
    static const char *const bad[] = {"tcp:0.0.0.0:0", "tcp:127.0.0.1:0", "tcp:192.168.0.1:0", "tcp:",
                                      "tcp:x",         "tcp:localhost:1", "tcp:65536",         "tcp:1x"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        expect_number((uint64_t)gdb_listen(bad[i]), (uint64_t)-EINVAL, bad[i]);
    expect_number(complaints, COUNT(bad), "each is explained");
}

static void places_are_known_by_their_first_word(void **state)
{
    (void)state;
    expect_number((uint64_t)gdb_listen("1234"), (uint64_t)-EINVAL, "tcp: or unix: must be said");
    expect_number((uint64_t)gdb_listen(""), (uint64_t)-EINVAL, "nothing is said");
    expect_number(complaints, 2, "each is explained");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_socket_in_the_file_system_is_private, begin, end),
        cmocka_unit_test_setup_teardown(what_a_killed_run_left_behind_is_replaced, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_socket_stays, begin, end),
        cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_port_is_on_the_loopback, begin, end),
        cmocka_unit_test_setup_teardown(other_addresses_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(places_are_known_by_their_first_word, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
