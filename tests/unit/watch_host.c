/* What the thread for devices would watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <cmocka.h>
#include "tests/support/expect.h"
#include "tests/unit/watch_host.h"

struct watch *watched[WATCHED_MAX];
unsigned watched_count;

void watched_none(void)
{
    watched_count = 0;
}

int io_watch(struct watch *watch)
{
    assert_true(watched_count < WATCHED_MAX);
    watched[watched_count++] = watch;
    return 0;
}

void io_unwatch(struct watch *watch)
{
    unsigned left = 0;

    for (unsigned i = 0; i < watched_count; i++)
        if (watched[i] != watch)
            watched[left++] = watched[i];
    watched_count = left;
}

unsigned watched_ready(unsigned n)
{
    eventfd_t count = 0;

    expect_true(
        n < watched_count,
        "An event comes, and nobody has called io_watch() for its eventfd: the thread does not listen.");
    eventfd_read(watched[n]->fd, &count);
    watched[n]->ready(watched[n]);
    return (unsigned)count;
}
