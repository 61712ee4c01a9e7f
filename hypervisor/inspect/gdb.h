/* The gdb server, from the bytes on the wire up. Its documentation: GDB manual, appendix E "GDB Remote Serial
 * Protocol". */
#ifndef GDB_H
#define GDB_H

#include <stdio.h>
#include "../feature.h"

/* ---- Packets (gdb_packet.c) ---- */

#define PACKET_MAX 16384 /* bytes of a packet's contents */

enum packet_event {
    PACKET_NOTHING,   /* more bytes are needed, or this one means nothing */
    PACKET_READY,     /* reader->data has a packet of reader->size bytes, and a zero byte behind it */
    PACKET_DAMAGED,   /* the checksum is wrong, or it is too long: ask for it again */
    PACKET_AGAIN,     /* the peer asks for our last packet again */
    PACKET_INTERRUPT, /* ^C */
};

struct packet_reader {
    enum { BETWEEN_PACKETS, IN_PACKET, AFTER_ESCAPE, IN_CHECKSUM_1, IN_CHECKSUM_2 } state;
    uint8_t sum; /* of the bytes since '$' */
    int digit;   /* the checksum's first; negative: it is none */
    bool too_long;
    size_t size;
    char data[PACKET_MAX + 1];
};

/* Take the next byte from the wire. A reader of zeros is a fresh one. */
enum packet_event packet_feed(struct packet_reader *reader, uint8_t byte);

/* An answer that grows. What does not fit is left out, and `full` says so. */
struct reply {
    size_t size;
    bool full;
    char data[PACKET_MAX];
};

void reply_text(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_hex(struct reply *r, const void *bytes, size_t size);    /* two digits each */
void reply_binary(struct reply *r, const void *bytes, size_t size); /* with escapes */

/* "$contents#checksum" into frame[PACKET_MAX + 4]. Returns the number of bytes. */
size_t packet_frame(const struct reply *r, char *frame);

/* Read what stands at *text and move *text behind it. They return false, and leave it, if it is not there. */
bool take_number(const char **text, uint64_t *number); /* hexadecimal, 1 to 16 digits */
bool take_hex(const char **text, void *bytes, size_t size);
bool take_word(const char **text, const char *word);

/* ---- Registers (gdb_registers.c) and what gdb is told about them (gdb_target.c) ---- */

/* The model-specific registers that gdb sees. */
enum { GDB_KERNEL_GS_BASE, GDB_STAR, GDB_LSTAR, GDB_SFMASK, GDB_TSC, GDB_MSRS };

/* The first part of the XSAVE area: x87 and SSE (Intel SDM 1 §10.5.1, the 64-bit layout). */
struct fxsave {
    uint16_t fcw, fsw, ftw, fop; /* ftw: a bit for each register that is in use */
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16];
};

/* Everything that gdb may see of a vCPU, as KVM has it. */
struct gdb_registers {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_debugregs debug;
    uint64_t msrs[GDB_MSRS];
    uint16_t x87_tags; /* two bits a register, as gdb wants them; it cannot change them */
    union {
        struct fxsave fpu;
        struct kvm_xsave xsave;
    };
};

/* Returns 0, or -EIO if KVM refuses. Only what differs from `old` is stored. The vCPU rests. */
int registers_load(struct vcpu *vcpu, struct gdb_registers *r);
int registers_store(struct vcpu *vcpu, const struct gdb_registers *old, struct gdb_registers *r);

/* KVM_GET_SREGS, for values that shall go back by KVM_SET_SREGS. Negative if KVM refuses. */
int sregs_load(struct vcpu *vcpu, struct kvm_sregs *sregs);

/* A segment register that was loaded with this selector, which names this descriptor (Intel SDM 3A §3.4.5).
 */
struct kvm_segment segment_from(uint16_t selector, uint64_t descriptor);

#define FLAT_CODE 0x00af9b000000ffffull /* descriptors: 64-bit code, and data that can be written */
#define FLAT_DATA 0x00cf93000000ffffull

/* Where a register lies in struct gdb_registers, and what it is for gdb. */
struct gdb_register {
    char name[12];
    const char *type, *feature;
    unsigned bits;         /* for gdb; a multiple of 8 */
    uint16_t offset, size; /* here; a size less than gdb's: the rest is zero */
};

/* Register n of gdb's numbering, which is the order of the description. Returns false behind the last. */
bool gdb_register(unsigned n, struct gdb_register *reg);
void register_get(const struct gdb_registers *r, const struct gdb_register *reg, uint8_t *value);
void register_set(struct gdb_registers *r, const struct gdb_register *reg, const uint8_t *value);

/* The description that gdb reads (appendix G "Target Descriptions"). */
void target_print(FILE *out);

/* ---- The state of the debugger: one in a process, and it outlives a reset of the machine ---- */

#define GDB_BREAKPOINTS 64

enum gdb_stop { STOP_NONE, STOP_STEP, STOP_BREAK, STOP_WATCH, STOP_DIED };

/* What the debugger wants of a vCPU and what came of it. Written by the vCPU's thread while it runs, else by
 * the debugger's. */
struct gdb_vcpu {
    bool held;           /* it stands still while others go on */
    bool stepping;       /* gdb wants it to stop once RIP is outside */
    uint64_t start, end; /* [start, end) */
    bool creeping;       /* we step it, to see by RIP what the CPU does not tell (gdb_break.c) */
    unsigned fetching; /* or for so many steps, until the guest has the page of a breakpoint it has come to */
    bool away;         /* a step has led to a fault: it ends where the guest goes on from that */
    bool pushes_flags; /* the instruction being stepped is PUSHF */
    enum gdb_stop stop;
    uint64_t address; /* of STOP_WATCH */
};

/* A breakpoint or watchpoint that gdb has set. */
struct breakpoint {
    enum gdb_point { POINT_FREE, POINT_SOFTWARE, POINT_HARDWARE, POINT_WRITE, POINT_ACCESS } type;
    uint64_t gva, size;
    uint64_t gpa;      /* of the byte in guest memory that is ours while planted, */
    bool planted;      /* which is only while vCPUs run */
    bool known;        /* gpa is where it was planted last, also if gdb has taken it back since */
    int slot;          /* 0 to 3: it is in this debug register; negative: in none */
    uint8_t before[8]; /* the code there without our byte; or what a watched variable was */
};

/* Changed by the debugger's thread while all vCPUs rest, unless it says otherwise. What is planted changes
 * with vm->lock held: the first vCPU that goes on does it. */
struct gdb {
    struct vm *vm;
    struct vcpu *vcpu; /* the one that registers and memory are read from */
    bool attached;     /* somebody is there. Changes only while all vCPUs rest */
    bool running;      /* and waits for the guest to stop */
    bool physical;     /* addresses are guest-physical */
    bool no_ack;
    bool can_swbreak;       /* gdb understands this reason to stop */
    const char *packet_end; /* of the packet that is being answered */
    bool has_stepped;       /* a trap flag of ours may still lie in the guest's memory; any vCPU sets it */
    bool int3_exits, debug_registers_work, can_block_interrupts; /* see gdb_probe.c */
    struct gdb_vcpu vcpus[MAX_VCPUS];
    struct breakpoint points[GDB_BREAKPOINTS];
    struct gdb_handler {
        bool planted;
        uint64_t gva, gpa;
        uint8_t before[2];
    } int3_handler, fault_handler; /* our instruction in place of the guest's handlers (gdb_int3.c) */
    struct {
        uint8_t number; /* in the gate of its #BP handler, for us; 0: none */
        uint64_t gpa;
    } spare_stack;
};

extern struct gdb gdb;

#define FOR_EACH_POINT(p) for (struct breakpoint *p = gdb.points; p < gdb.points + GDB_BREAKPOINTS; p++)

/* ---- Memory (gdb_memory.c) ---- */

/* Copy from or to memory at a virtual address, as `sregs` have it mapped whatever the access rights, or at a
 * physical one if sregs is NULL. Returns how many bytes are RAM and were copied. */
size_t gdb_memory(struct vm *vm, const struct kvm_sregs *sregs, uint64_t addr, void *data, size_t size,
                  bool is_write);

/* What every step needs to know of a vCPU: read once, because each read is a system call. */
struct cpu_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
};

/* ---- What KVM can do (gdb_probe.c) ---- */

/* Fill the three fields of struct gdb. */
void gdb_probe(struct vm *vm);

/* ---- Breakpoints (gdb_break.c) ---- */

/* gdb's "Z" and "z". Return 0; -EFAULT: nothing is mapped there; -ENOSPC: no room; -ENOTSUP: not here. All
 * vCPUs rest. */
int point_set(enum gdb_point type, uint64_t gva, uint64_t size);
void point_clear(enum gdb_point type, uint64_t gva, uint64_t size);

/* The breakpoint at an instruction, or NULL. */
const struct breakpoint *break_at(uint64_t rip);

/* Put into guest memory what is not there yet and can be, and decide whether this vCPU must creep. On the
 * vCPU's thread, or while it rests. */
void break_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* Make guest memory what it was. All vCPUs rest. */
void break_take_out(struct vm *vm);

/* ---- Watchpoints, and the debug registers (gdb_watch.c) ---- */

bool is_watch(const struct breakpoint *p);

/* The number of a debug register that no point has, or negative. */
int free_slot(void);

/* Whether the CPU or we can watch p's bytes, mapped as `sregs` say: 0, or as point_set(). */
int watch_set(struct breakpoint *p, enum gdb_point type, const struct kvm_sregs *sregs);

/* The values of DR0 to DR7 for KVM_SET_GUEST_DEBUG. */
void points_to_debug_registers(__u64 *debugreg);

/* The point whose debug register has fired, by DR6; NULL: none of ours. */
const struct breakpoint *point_fired(uint64_t dr6);

/* The watchpoint whose variable has changed, of those that no debug register watches; NULL: none. */
const struct breakpoint *watch_changed(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* ---- INT3 where KVM does not report it (gdb_int3.c) ---- */

/* See that the guest's #BP handler, if it has one by now, begins with our instruction. Returns whether it
 * does. */
bool int3_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs);

/* The same for its #PF handler, while a breakpoint waits for a page: a program that has got one stops at an
 * exit soon, so that break_plant() can look. */
void faults_plant(struct vcpu *vcpu, const struct kvm_sregs *sregs, bool wanted);

void int3_take_out(struct vm *vm); /* both */

/* Whether this exit is such an instruction. Then, if it was an INT3 of ours, it is as if it had not been
 * executed, and *ours is true; else the guest's handler goes on. */
bool int3_arrived(struct vcpu *vcpu, bool *ours);

/* ---- Instructions that cannot be single-stepped (gdb_step.c) ---- */

/* Carry out the next instruction if it is SYSCALL or SYSRET, which the trap flag does not survive. Returns
 * whether it was. */
bool step_by_hand(struct vcpu *vcpu, const struct cpu_state *s);

/* After a step: take our trap flag out of what PUSHF has pushed. */
void step_clean_flags(struct vcpu *vcpu, const struct cpu_state *s);

/* ---- Running and stopping (gdb_run.c) ---- */

/* From now on exits are looked at. Called once for each VM, before its vCPUs run. */
void run_prepare(struct vm *vm);

/* Let the vCPUs go on as gdb.vcpus says. Returns false if one of them has stopped at once. */
bool run_resume(void);

/* To be called now and then while the guest runs: a vCPU that creeps steps freely once it has switched to
 * another thread, whose flags are without our trap flag. */
void run_nudge(void);

/* Make all vCPUs rest, guest memory as it is without us. Returns the vCPU that has something to tell, or
 * NULL; gdb.vcpu if it has been interrupted. */
struct vcpu *run_stop(void);

/* Forget all breakpoints and steps; the guest is as if we had never been there. All vCPUs rest. */
void run_detach(void);
/* The feature's hook for a guest that died: it rests, to be looked at, until it is resumed. */
bool run_died(struct vcpu *vcpu, const char *what);

/* ---- Commands (gdb_stub.c; gdb_resume.c, gdb_data.c, gdb_query.c) ---- */

/* What a packet begins with, and who answers: `text` is what follows the word. Returns 0, or the errno value
 * for an answer such as "E16". An answer left empty says "not supported". `GDB_COMMAND(name) = {...};` puts
 * one into the table; no other file needs to know. */
struct gdb_command {
    const char *word;
    int (*run)(const char *text, struct reply *r);
    const char *answer; /* if nothing is run, or it has nothing to say but that it is done */
};

#define GDB_COMMAND(name) LINKED(gdb_command, name, "gdb_commands")

/* Answer the packet in reader->data. Returns false if there is no answer now: the guest runs. */
bool gdb_command(struct packet_reader *reader, struct reply *r);

/* The vCPU of a thread id, vCPU n being thread n + 1; 0 (any) and -1 (all) are the current one. NULL: there
 * is no such thread. */
struct vcpu *take_thread(const char **text);

/* Why the guest stopped, as the answer to what let it run. */
void reply_stop(struct reply *r, struct vcpu *vcpu);

/* Where it stands, as a part of that answer: gdb then need not ask for it. */
void reply_place(struct reply *r, struct vcpu *vcpu);

/* gdb's "monitor" command: what it prints goes to `out`. */
void monitor_command(char *line, FILE *out);

/* ---- The connection (gdb_listen.c, gdb_server.c) ---- */

/* Listen at "unix:PATH" or "tcp:PORT". Returns the socket, or -errno after a complain(). */
int gdb_listen(const char *text);
void gdb_unlisten(int fd, const char *text);

/* A vCPU has stopped: have the debugger's thread look. Any thread. */
void server_wake(void);

/* Send what is not the last answer (output of a monitor command). */
void server_send(const struct reply *r);

/* After the answer, if there is one, the connection ends. */
void server_hang_up(void);

#endif
