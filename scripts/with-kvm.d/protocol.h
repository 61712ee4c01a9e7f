/* What the relay (outside the fallback machine) and the agent (inside) tell each other over virtio-serial. */
#ifndef WITH_KVM_PROTOCOL_H
#define WITH_KVM_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * One virtio-serial port for each stream, so that each has its own back-pressure: a command that does not
 * read its input must not hold up its output or a signal. The data ports carry bare bytes; where a stream
 * ends is told on the control port as a number of bytes, so nothing has to be escaped and nothing is lost on
 * the way.
 */
enum port { PORT_CONTROL, PORT_STDIN, PORT_STDOUT, PORT_STDERR, PORT_TERMINAL, PORT_COUNT };

/* QEMU inherits its end of port n as file descriptor FIRST_PORT_FD + n; scripts/with-kvm names them so. */
#define FIRST_PORT_FD 10

enum message_type {
    MESSAGE_HELLO,         /* agent: the machine is up */
    MESSAGE_COMMAND,       /* relay: struct command, then its strings */
    MESSAGE_SIGNAL,        /* relay: value[0] is the signal; value[1] non-zero: to the whole process group */
    MESSAGE_RESIZE,        /* relay: value[0] rows, value[1] columns */
    MESSAGE_STDIN_END,     /* relay: standard input ends after value[0] bytes */
    MESSAGE_OUTPUT_CLOSED, /* relay: nobody reads descriptor value[0] (1 or 2) any more */
    MESSAGE_NOTHING,       /* relay: but it comes with an interrupt */
    MESSAGE_SIGNAL_DONE,   /* agent: the signal was passed on, so the machine is alive */
    MESSAGE_EXITED,        /* agent: value[0] exit status, then the bytes sent on stdout, stderr, terminal */
};

struct message {
    uint32_t type;
    uint32_t length; /* bytes of payload that follow */
    uint64_t value[4];
};

#define MAX_GROUPS 64

/* The command and what it inherits. argv, the environment, the directory follow as NUL-ended strings. */
struct command {
    uint32_t uid, gid, umask;
    uint32_t group_count, groups[MAX_GROUPS];
    uint32_t terminals;       /* bit n: descriptor n is a terminal */
    uint32_t ignored_signals; /* bit n: signal n is ignored */
    uint32_t argument_count, variable_count;
    int64_t seconds, nanoseconds;        /* the time of day */
    uint32_t rows, columns;              /* of the terminal, as are the modes below */
    uint32_t iflag, oflag, cflag, lflag; /* struct termios, whose layout differs between C libraries */
    uint8_t control_characters[32];
};

/* Write or read all `size` bytes, on a blocking descriptor or not. Returns 0, or -1 at an error or end. */
int write_all(int fd, const void *data, size_t size);
int read_all(int fd, void *data, size_t size);

/* Send a message without payload. Returns 0 or -1. */
int send_message(int fd, enum message_type type, uint64_t value0, uint64_t value1);

#endif
