/* Lab 9: the thread that waits for eventfds: whom it calls, and whom no more. */
/* sources: hypervisor/virtio/io_thread.c */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include "feature.h"
#include "virtio/io_thread.h"

#define ROUNDS 1000 /* the moment has to be met */

static struct vm *vm;
static void *made[4];
static unsigned made_count;
static struct watch first, second;
static unsigned second_calls;
static int first_called; /* an eventfd */

int complain(int err, const char *format, ...)
{
    fail_msg("%s", format);
    return err;
}

void *vm_new_device(struct vm *v, size_t size)
{
    (void)v;
    assert_true(made_count < COUNT(made));
    return made[made_count++] = calloc(1, size);
}

static void kicked(int signal_number)
{
    (void)signal_number;
}

static void first_ready(struct watch *watch)
{
    assert_int_equal(pthread_mutex_trylock(&watch->vm->lock), EBUSY); /* ours */
    eventfd_write(first_called, 1);
}

static void second_ready(struct watch *watch)
{
    (void)watch;
    __atomic_add_fetch(&second_calls, 1, __ATOMIC_SEQ_CST);
}

static int begin(void **state)
{
    (void)state;
    signal(KICK_SIGNAL, kicked);
    vm = calloc(1, sizeof *vm);
    pthread_mutex_init(&vm->lock, NULL);
    first = (struct watch){eventfd(0, EFD_NONBLOCK), first_ready, vm, NULL};
    second = (struct watch){eventfd(0, EFD_NONBLOCK), second_ready, vm, NULL};
    first_called = eventfd(0, 0);
    second_calls = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    __start_features[0]->ended(vm);
    while (made_count > 0)
        free(made[--made_count]);
    close(first.fd);
    close(second.fd);
    close(first_called);
    free(vm);
    return 0;
}

/* The thread has served all that was there before. */
static void wait_for_first(void)
{
    eventfd_t count;

    eventfd_write(first.fd, 1);
    assert_int_equal(eventfd_read(first_called, &count), 0);
}

static void an_event_is_a_call_with_the_lock_held(void **state)
{
    (void)state;
    assert_int_equal(io_watch(&first), 0);
    wait_for_first();
    wait_for_first();
}

static void after_io_unwatch_nothing_is_called(void **state)
{
    eventfd_t count;

    (void)state;
    assert_int_equal(io_watch(&first), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_int_equal(io_watch(&second), 0);
        pthread_mutex_lock(&vm->lock);
        eventfd_write(second.fd, 1); /* the thread may wake up, and has to wait for the lock then */
        sched_yield();
        io_unwatch(&second);
        eventfd_read(second.fd, &count);
        pthread_mutex_unlock(&vm->lock);
    }
    wait_for_first(); /* all that came before was served */
    assert_int_equal(__atomic_load_n(&second_calls, __ATOMIC_SEQ_CST), 0);
}

/* As where KVM takes none of a device's eventfds, and the guest resets the device. */
static void what_was_never_watched_can_be_unwatched(void **state)
{
    (void)state;
    io_unwatch(&first);
    assert_int_equal(made_count, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    static const struct CMUnitTest tests[] = {
        TEST(an_event_is_a_call_with_the_lock_held),
        TEST(after_io_unwatch_nothing_is_called),
        TEST(what_was_never_watched_can_be_unwatched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
