/*
 * For the tests of Moss's kernel on the host: a current process. It has a thread that this_cpu() knows,
 * system calls that are found by their number, memory for its program, and it may have to wait.
 *
 * Include this after tests/unit/moss_host.h.
 */
#ifndef PROCESS_HOST_H
#define PROCESS_HOST_H

#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "guestos/include/process.h"
#include "guestos/include/syscall.h"
#include "guestos/include/user.h"

/* The process: all zeros but for the lists and pid 7, parent of nobody, after process_host_begin(). */
extern struct process host_process;
void process_host_begin(void);

/* Call system call `number` as the dispatcher would; its fifth and sixth argument are 0. */
ssize_t host_call(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/*
 * The program's memory: the STACK_BYTES below USER_END, zeros at first. Nothing else is there:
 * copy_from_user() and copy_to_user() say -EFAULT elsewhere. user_at() gives the bytes at an address, which
 * must be there.
 */
#define STACK_BYTES (64 * 1024ul)
void *user_at(uint64_t address, size_t n);
uint64_t user_word(uint64_t address);

/*
 * Waiting: host_on_sleep() is what others do while the process sleeps. NULL: there is nobody, so that the
 * test fails, since it would sleep for ever. With host_interrupted set, a wait that can be interrupted is.
 * host_wakes counts the calls of wake_all() for the queue that was waited in last, or named by host_watch().
 */
extern void (*host_on_sleep)(void);
extern bool host_interrupted;
extern unsigned host_sleeps, host_wakes;
void host_watch(struct wait_queue *queue);

unsigned host_mutexes_held(void);
extern void (*host_on_lock)(void); /* what others do just before the next mutex_lock(); NULL: nothing */

/* The heap, kmalloc() and kfree(): how many objects there are, and how many more there may be. */
extern unsigned host_objects, host_objects_left;

#endif
