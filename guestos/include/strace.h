/* strace: telling people which system calls a process makes. */
#ifndef STRACE_H
#define STRACE_H

#include "process.h"
#include "strace_abi.h"
#include "types.h"

/* The name of a system call, known to Moss or not; "syscall_0x1ff" for one that Linux does not have either.
 */
void syscall_name(uint64_t number, char *to, size_t size);

/* How its arguments are shown: a letter each (strace_arguments.c). */
void syscall_arguments(uint64_t number, char *to, size_t size);

/* Text that grows in a buffer of fixed size; what does not fit is cut off. */
struct text {
    size_t used;
    char bytes[1024];
};

void text_add(struct text *text, const char *fmt, ...) PRINTF(2, 3);

/* A call under way, or one that has returned. */
struct traced_call {
    uint64_t number, args[6];
    ssize_t result;
    bool returned;
};

/*
 * Add the arguments that are known now: before the call those up to the first that the kernel fills in, after
 * it the rest. The current process is the one that made the call.
 */
void strace_arguments(struct text *text, const struct traced_call *call);

/* Add "= RESULT", with the error's name. */
void strace_result(struct text *text, const struct traced_call *call);

/* Add a set of flags or a choice of the kind that `letter` stands for (strace_flags.c). Returns false if
 * there is no such kind. */
bool strace_flags(struct text *text, char letter, uint64_t value);

/* Add "SIGINT"; "{si_signo=SIGINT, ...}". */
void strace_signal(struct text *text, uint64_t signal);
void strace_siginfo(struct text *text, int signal, const struct signal_cause *cause);

/* "ENOENT" and what it means, or NULL. */
const char *errno_name(unsigned number);
const char *errno_text(unsigned number);

/* Whose processes are traced together, and where the text goes. */
struct session;

struct session *session_create(bool to_console); /* with one reference; NULL: no memory */
void session_put(struct session *session);

/* Have the process belong to the session. Returns 0, -EBUSY (to another one) or -ENOMEM. */
int session_add(struct session *session, struct process *process);

void session_show_only(struct session *session, const struct strace_set *set);
int session_count(struct session *session, struct strace_count *count);

/* Take text. Returns 0 at the end. */
ssize_t session_read(struct session *session, char *to, size_t n, bool wait);
bool session_readable(struct session *session);

/* Nobody will read any more: the processes go on untraced. */
void session_close(struct session *session);

#endif
