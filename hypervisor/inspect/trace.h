/* Traces: what is recorded of a running guest, on its way from the vCPUs to the file. */
#ifndef TRACE_H
#define TRACE_H

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
    enum trace_kind kind;
    uint32_t vcpu;   /* MAX_VCPUS: none (a device's own thread printed) */
    uint32_t reason; /* TRACE_EXIT: KVM_EXIT_xxx */
    bool is_write;
    uint32_t size;  /* bytes of an item; of console text: how many */
    uint32_t count; /* items */
    uint32_t task;  /* the guest's process, 0: its kernel */
    uint64_t addr, value;
    uint64_t guest_ns; /* since the exit before; UNKNOWN_NS: that one was not timed */
    uint64_t rip;
    char text[32]; /* console bytes; or the guest's name for what it did, ended by a zero byte */
};

#define UNKNOWN_NS UINT64_MAX

/* The one trace that there can be. */
extern struct trace {
    struct vm *vm;             /* NULL: none is being made */
    const char *path;          /* of its file */
    uint64_t every, max;       /* record each N-th exit of a vCPU; events in the file */
    const char *only;          /* the words of --trace-only; NULL: everything */
    uint64_t start;            /* host_now() when it began; kept over a reset */
    struct trace_vcpu {        /* that vCPU's thread's own while it runs */
        uint64_t seen, wanted; /* exits; of them those that --trace-only wants */
        uint64_t left_ns;      /* when the last handler ended; UNKNOWN_NS: not timed */
        uint64_t ring_gpa;     /* of the guest's own ring; 0: it has none (trace_guest.c) */
        uint64_t tsc_offset;   /* the guest's time stamp counter minus ours */
        uint32_t taken;        /* events of that ring that were read, */
        uint64_t lost;         /* or overwritten before we came */
        uint64_t switched;     /* when the guest told of a thread that lost this CPU last */
    } vcpus[MAX_VCPUS];
} trace;

uint64_t trace_now(void);

/* ---- The ring between the vCPUs and the file's thread (trace_ring.c) ---- */

#define TRACE_RING 65536 /* events; a power of 2 */

/* Add an event. A full ring drops it: better a gap that is told than a guest that waits. Any thread. */
void trace_put(const struct trace_event *event);

/* Take the oldest event. Returns whether there was one. */
bool trace_take(struct trace_event *event);

/* How many were dropped since this was asked last. */
uint64_t trace_dropped(void);

/* ---- What is wanted (trace_filter.c) ---- */

/* Check that each word of trace.only is an exit reason, a kind of event or a device of this VM. Returns 0, or
 * -EINVAL after a complain(). */
int trace_filter_check(void);

bool trace_wants(const struct trace_event *event);

/* "io" for KVM_EXIT_IO. */
const char *trace_reason(unsigned reason);

/* The name of the device that has claimed the address of an exit, "nobody" if none has; NULL if it is no
 * access. */
const char *trace_device(const struct trace_event *exit);

extern const char *const trace_kind_names[TRACE_KINDS];

/* ---- The file (trace_file.c): Chrome's trace format, written by a thread of its own ---- */

/* Open the file, or go on in it after a reset, and start the thread. Returns 0 or -errno after a complain().
 */
int trace_file_start(void);

/* End the thread and, unless a reset follows, the file: write the totals, and say on stderr what is missing.
 */
void trace_file_end(bool reset);

/* ---- The guest's own events (trace_guest.c) ---- */

/* Claim the port by which a guest tells where its ring is. Returns 0 or -errno after a complain(). */
int trace_guest_attach(void);

/* Called on the vCPU's thread while its guest stands still: take what the guest told. */
void trace_guest_collect(struct vcpu *vcpu);

/* The vCPU whose exit this thread handles; NULL: the thread is no vCPU's. */
extern __thread struct vcpu *trace_current;

#endif
