/* A virtual machine and its parts: RAM, buses, vCPUs, interrupt lines; what every file of the hypervisor
 * shares. */
#ifndef VM_H
#define VM_H

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#define KiB           (1ul << 10)
#define MiB           (1ul << 20)
#define GiB           (1ul << 30)
#define PAGE_SIZE     4096ul
#define MAX_VCPUS     64
#define EXIT_REASONS  64        /* above all KVM_EXIT_xxx of today */
#define LAST_EXITS    8         /* kept for the post-mortem */
#define CMDLINE_MAX   2048      /* Linux reads no more on x86 */
#define KICK_SIGNAL   SIGUSR1   /* sent to a vCPU's thread to end KVM_RUN */
#define RAM_LOW_END   (3 * GiB) /* RAM makes room for devices here ... */
#define RAM_HIGH_BASE (4 * GiB) /* ... and goes on here */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What `terrarium` itself exits with; everything else is the guest's own status. */
enum exit_status {
    STATUS_USAGE = 2,          /* the command line is wrong */
    STATUS_HOST_ERROR = 120,   /* a file, /dev/kvm or memory is missing */
    STATUS_TRIPLE_FAULT = 121, /* the guest died */
    STATUS_KVM_ERROR = 122,    /* KVM could not go on running it, or nothing handles why it stopped */
    STATUS_SIGNAL = 128,       /* + the signal's number */
    STATUS_RESET = 256,        /* never seen outside: the guest asked to start again */
};

struct vm;
struct vcpu;
struct io_thread;

/* ---- The host (host.c) ---- */

/* Print "terrarium: message" to stderr and return `err`, so that `return complain(-EINVAL, ...)` explains
 * itself. -EINVAL means that the command line is wrong. */
int complain(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An ioctl that should work. Returns its result, or -EIO after a complain() that KVM cannot `what`. */
int kvm_ioctl(int fd, unsigned long request, void *arg, const char *what);

/* Read exactly `size` bytes at `offset`. Returns 0, -EIO if the file is shorter, or -errno. */
int host_read_at(int fd, void *data, size_t size, uint64_t offset);

/* Open a file to read it, and find its size in bytes. Returns the descriptor, or -errno after a complain()
 * that begins with the option. */
int host_open(const char *option, const char *path, uint64_t *size);

/* Open a file to write it, made if it is not there; `flags` are O_TRUNC or O_APPEND. Returns the descriptor,
 * or -EIO after a complain() that begins with the option. */
int host_create(const char *option, const char *path, int flags);

/* Nanoseconds of the monotonic clock. */
uint64_t host_now(void);

/* ---- Memory (memory.c) ---- */

struct ram {
    uint64_t gpa, size;
    uint8_t *hva;
    uint32_t slot; /* of KVM_SET_USER_MEMORY_REGION */
};

struct range {
    uint64_t gpa, size;
    const char *name;
};

int memory_init(struct vm *vm);
void memory_free(struct vm *vm);

/* The only way into guest memory: the host pointer to the `size` bytes at guest-physical `gpa`, or NULL
 * unless all of them are RAM, side by side. Safe for any numbers. */
void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size);

/* Note that the loader puts `name` at [gpa, gpa + size). Returns 0, or after a complain() -EFAULT if that is
 * not RAM, -EEXIST if it overlaps what is there, -ENOSPC if there are too many. */
int memory_reserve(struct vm *vm, uint64_t gpa, uint64_t size, const char *name);

/* The map that firmware would hand over (E820 and PVH share its layout). */
struct map_entry {
    uint64_t gpa, size;
    uint32_t type; /* MAP_RAM or MAP_RESERVED */
    uint32_t pad;
};

#define MAP_RAM         1
#define MAP_RESERVED    2
#define MAP_ENTRIES_MAX 4

/* Fill map[MAP_ENTRIES_MAX]. Returns the number of entries. */
unsigned memory_map(struct vm *vm, struct map_entry *map);

/* ---- Buses (bus.c) ---- */

/* `count` reads or writes, one after the other, of the same `size` bytes: 1, 2, 4 or 8. */
struct access {
    struct vm *vm;
    void *dev;       /* as claimed; set by the bus */
    uint64_t offset; /* for a device: from the start of its claim; for the bus: the address */
    void *data;      /* `count` items of `size` bytes */
    unsigned size, count;
    bool is_write;
};

/* How a device answers; missing functions are as if nobody had claimed. Called with vm->lock held. */
struct bus_ops {
    unsigned sizes;                                        /* that it takes, or-ed: 1 | 2 | 4 | 8 */
    uint64_t (*read)(const struct access *a);              /* one item */
    void (*write)(const struct access *a, uint64_t value); /* one item, */
    void (*write_string)(const struct access *a);          /* or instead all a->count items of a REP OUTS */
};

struct bus_claim {
    uint64_t base, size;
    const char *name;
    const struct bus_ops *ops;
    void *dev;
    uint64_t accesses, ns; /* for --stats */
};

struct bus {
    const char *kind; /* "port" or "address", for messages */
    unsigned count;
    struct bus_claim claims[48];
};

/* Route [base, base + size) to a device. Returns 0, or after a complain() -EINVAL if the range is empty or
 * wraps, -EEXIST if it overlaps another claim, -ENOSPC if the bus is full. */
int bus_claim(struct bus *bus, uint64_t base, uint64_t size, const char *name, const struct bus_ops *ops,
              void *dev);

/* Carry out an access. What nobody claimed reads as all ones and ignores writes, as on a PC. Takes vm->lock.
 */
void bus_access(struct bus *bus, struct access access);

/* ---- vCPUs (vcpu.c) ---- */

/* One entry of a vCPU's list of last exits: `count` times the same one in a row. */
struct exit_note {
    uint32_t reason, size;
    uint64_t addr; /* of port I/O and MMIO */
    bool is_write;
    uint64_t count;
};

struct vcpu {
    struct vm *vm;
    unsigned id;
    int fd;
    struct kvm_run *run; /* shared with the kernel: */
    size_t run_size;     /* so many bytes */
    pthread_t thread;
    bool started; /* thread is valid; guarded by vm->run_lock, */
    bool held;    /* as this is: it rests although the others run */
    uint64_t exit_count;
    uint64_t exits[EXIT_REASONS];      /* how often, by reason */
    uint64_t exit_ns[EXIT_REASONS];    /* time in the handlers, only while vm->timed */
    struct exit_note last[LAST_EXITS]; /* a ring; last[last_index] is the newest */
    unsigned last_index;
    bool keeps_registers; /* a feature asked for them, as they were at the last exit: */
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct {
        uint32_t count, unused;
        struct kvm_msr_entry entries[5];
    } msrs; /* laid out as struct kvm_msrs; the feature says which */
};

int vcpu_create(struct vm *vm, unsigned id);
void vcpu_free(struct vcpu *vcpu);
void *vcpu_thread(void *vcpu);

/* Run the guest until its next exit. Returns 0, or -errno of KVM_RUN: -EINTR after a kick. */
int vcpu_enter(struct vcpu *vcpu);

/* The guest cannot go on: say what happened, call the features' died hooks, stop the VM. */
void vcpu_died(struct vcpu *vcpu, int status, const char *what);

/* "port I/O (KVM_EXIT_IO)" */
const char *exit_reason_name(unsigned reason);

/* ---- The machine (vm.c) ---- */

enum wish { WISH_RUN, WISH_PAUSE, WISH_STOP };

/* State that a device wants saved with the VM: plain bytes without host handles. Without a name: just freed
 * with it. */
struct device_state {
    const char *name;
    void *state;
    size_t size;
};

struct vm {
    /* Set by whoever makes the VM, before vm_create(). */
    uint64_t memory; /* bytes of RAM */
    unsigned cpus;
    bool host_io; /* stdin and stdout are this VM's */
    bool timed;   /* measure the time in handlers */

    /* Set by features while they attach. */
    bool bare;    /* the guest is bare bytes: features that add a platform (interrupt controller) stay away */
    bool irqchip; /* there is an interrupt controller in the kernel */
    const char *boot_source; /* the option that says what to run; see vm_claim_boot() */
    void (*output)(struct vm *vm, const void *data,
                   size_t size);                               /* takes the console's bytes; NULL: stdout */
    void (*irq_sink)(struct vm *vm, unsigned line, int level); /* NULL: nobody listens */
    struct console_user {
        void (*ready)(struct vm *vm, void *dev);
        void *dev;
    } consoles[4]; /* see devices/console.h; the last is the console */
    unsigned console_count;
    void (*handlers[EXIT_REASONS])(struct vcpu *vcpu); /* NULL: the guest dies of this exit */
    char cmdline[CMDLINE_MAX];
    struct range initrd;         /* in RAM; size 0: none */
    uint64_t rsdp;               /* guest-physical address of the ACPI tables; 0: none */
    struct io_thread *io_thread; /* does the devices' work, see virtio/io_thread.h; NULL: the vCPUs do */
    int kernel_fd;               /* the kernel's file, for its symbols; -1: none */

    int kvm_fd, fd, ram_fd;
    struct ram ram[2];
    unsigned ram_count;
    struct range reserved[96];
    unsigned reserved_count;
    struct device_state states[192]; /* a disk has six */
    unsigned state_count;
    struct vcpu *vcpus[MAX_VCPUS];

    /* lock: held around every call of a device; guards the buses and all device state. */
    pthread_mutex_t lock;
    pthread_t writer; /* the thread that is in vm_write(), with the lock held, */
    bool writing;     /* if there is one */
    struct bus ports, mmio;

    /* run_lock: taken last, held briefly; guards what follows. */
    pthread_mutex_t run_lock;
    pthread_cond_t run_changed;
    enum wish wish;
    unsigned freezes; /* vm_freeze() without vm_thaw(), so far */
    unsigned resting; /* vCPU threads that stand still, or have ended */
    int status;       /* once stopped: the exit status */
    int stopped_fd;   /* an eventfd, readable once the VM is stopped */
};

/* Make a machine: KVM's VM, RAM, the features' devices, the vCPUs, and what boots. The fields at the top of
 * *vm must be set and the rest be zero. Returns 0 or -errno after a complain(); call vm_destroy() in both
 * cases. */
int vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);

/* Start the vCPU threads. Returns 0, or -EAGAIN after a complain(). */
int vm_start(struct vm *vm);

/* Wait for the vCPU threads to end, which they do once someone called vm_stop(). Returns the exit status. */
int vm_join(struct vm *vm);

/* These may be called by any thread, also from a device or an exit handler. The first stop decides the
 * status; STATUS_RESET starts the machine again. */
void vm_stop(struct vm *vm, int status);
bool vm_stopping(struct vm *vm);

/* Stand still between two guest instructions, and go on. Not from a vCPU thread: it would wait for itself. */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* The same for a short look at a machine that may be paused or not, and stays so. They nest. */
void vm_freeze(struct vm *vm);
void vm_thaw(struct vm *vm);

/* The two halves of vm_pause(): asking, which a vCPU thread may do too, and waiting until all rest (or have
 * ended). */
void vm_ask_pause(struct vm *vm);
void vm_wait_paused(struct vm *vm);

/* While it is held, a vCPU goes on resting when the others are resumed. Only while the VM is paused. */
void vcpu_hold(struct vcpu *vcpu, bool held);

/* For a vCPU's thread when KVM_RUN was interrupted: rest while paused or held. Returns false when it is time
 * to end. */
bool vcpu_may_run(struct vcpu *vcpu);

/* Write all `size` bytes to `fd`, which `name` names in messages. Where that fails (a closed pipe, a full
 * disk) the VM stops. */
void vm_write(struct vm *vm, int fd, const char *name, const void *data, size_t size);

/* Send bytes to the console of the host. */
void vm_output(struct vm *vm, const void *data, size_t size);

/* Set interrupt line 0..23 (the pins of the I/O APIC; 0..15 are also those of the two 8259s) to `level`. A
 * line is a level, not an event: a device raises it while it wants attention. Any thread; with vm->lock held.
 */
void irq_set_line(struct vm *vm, unsigned line, int level);

/* Say which option brings what the VM runs. Returns 0, or -EINVAL after a complain() if another did before.
 */
int vm_claim_boot(struct vm *vm, const char *option);

/* Append words to the kernel's command line. Returns 0, or -E2BIG after a complain(). */
int vm_append_cmdline(struct vm *vm, const char *words);

/* Have a device's state saved with the VM: zeroed bytes that go with it. NULL after a complain(). */
void *vm_new_device_state(struct vm *vm, const char *name, size_t size);

/* Zeroed memory for what a device has on the host, which goes with the VM and is not saved. NULL after a
 * complain(). */
void *vm_new_device(struct vm *vm, size_t size);

#endif
