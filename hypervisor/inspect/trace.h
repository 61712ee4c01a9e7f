/* Traces: what is recorded of a running guest, and the rings that take it from the vCPU threads to the file.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdio.h>
#include "../vm.h"

enum trace_kind {
    TRACE_EXIT,
    TRACE_CONSOLE,
    TRACE_SYSCALL, /* from here on: told by the guest itself */
    TRACE_SWITCH,
    TRACE_FAULT,
    TRACE_INTERRUPT,
    TRACE_NAME, /* of a process; it is no event in the file, but names a track there */
    TRACE_KINDS
};

/* Times are nanoseconds since the trace began. */
struct trace_event {
    uint64_t begin, end;
    uint8_t kind;
    uint8_t is_write; /* TRACE_EXIT: */
    uint16_t reason;  /* KVM_EXIT_xxx */
    uint32_t size;    /* bytes of an item; of console text: how many */
    uint32_t count;   /* items */
    uint32_t task;    /* the guest's process, 0: its kernel; of console text: the vCPU, MAX_VCPUS: none */
    uint64_t addr, value;
    uint64_t guest_ns; /* since the exit before; UNKNOWN_NS: that one was not timed */
    uint64_t rip;
    char text[32]; /* console bytes, or the guest's name for what it did; not ended by a zero byte */
};

#define UNKNOWN_NS UINT64_MAX

/* ---- Rings (trace_ring.c): one thread puts, one takes, neither waits ---- */

#define TRACE_RING 16384 /* events; a power of 2 */

struct trace_ring {
    struct trace_event *events; /* TRACE_RING of them */
    uint64_t head, tail;        /* put and taken so far */
    uint64_t dropped;           /* because the ring was full */
};

/* Returns 0 or -ENOMEM. */
int trace_ring_init(struct trace_ring *ring);
void trace_ring_free(struct trace_ring *ring);

/* Add an event, or count it as dropped if there is no room. */
void trace_put(struct trace_ring *ring, const struct trace_event *event);

/* Take the oldest event. Returns whether there was one. */
bool trace_take(struct trace_ring *ring, struct trace_event *event);

/* ---- What is wanted (trace_filter.c) ---- */

struct trace_filter {
    uint64_t every;    /* record each N-th exit of a vCPU; 1: all */
    uint32_t kinds;    /* bit k: TRACE_k */
    uint64_t reasons;  /* bit r: exits of reason r, whatever the device */
    char devices[256]; /* ",uart16550,exit-port,": exits to these */
};

/* Read "io,uart16550,syscall". Returns 0, or -EINVAL after a complain(): a word is no reason, kind or name of
 * a device that this VM has. NULL: everything. */
int trace_filter_parse(struct trace_filter *filter, struct vm *vm, const char *words);

bool trace_wants(const struct trace_filter *filter, struct vm *vm, const struct trace_event *exit);

/* "io" for KVM_EXIT_IO, in word[32]. Returns it. */
const char *trace_reason(unsigned reason, char *word);

/* The name of the device that has claimed the address of this exit; NULL: none has. */
const char *trace_device(const struct vm *vm, const struct trace_event *exit);

extern const char *const trace_kind_names[TRACE_KINDS];

/* ---- The trace (trace.c) ---- */

struct trace_vcpu {
    struct trace_ring ring;
    uint64_t seen;    /* exits, */
    uint64_t refused; /* of them not wanted, */
    uint64_t skipped; /* or passed over by --trace-every */
    uint64_t left_ns; /* when the last handler ended; UNKNOWN_NS: not timed */
    struct trace_told {
        uint64_t gpa;        /* of the guest's own ring; 0: it has none (trace_guest.c) */
        uint32_t taken;      /* events of it that were read, */
        uint64_t lost;       /* or overwritten before we came */
        uint64_t tsc_offset; /* the guest's time stamp counter minus ours */
    } told;
};

struct trace {
    struct vm *vm;
    const char *path;
    struct trace_filter filter;
    uint64_t limit; /* events in the file */
    uint64_t start; /* host_now() when the trace began */
    struct trace_vcpu vcpus[MAX_VCPUS];
    struct trace_ring console; /* put with vm->lock held */
};

/* ---- The file (trace_file.c): Chrome's trace format, written by a thread of its own ---- */

/* Open the file and start the thread. Returns 0 or -errno after a complain(). */
int trace_file_start(struct trace *trace);

/* Write the rest and the totals, and say on stderr what is missing. Harmless if it was not started. */
void trace_file_end(struct trace *trace);

/* ---- The guest's own events (trace_guest.c) ---- */

/* Claim the port by which a guest tells where its ring is. Returns 0 or -errno after a complain(). */
int trace_guest_attach(struct trace *trace);

/* Called on the vCPU's thread while its guest stands still: move what the guest told to the ring. */
void trace_guest_collect(struct vcpu *vcpu);

/* The vCPU whose exit this thread handles; NULL: the thread is no vCPU's. */
extern __thread struct vcpu *trace_current;

#endif
