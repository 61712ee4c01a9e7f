/* A virtual machine and its parts: RAM, buses, vCPUs, interrupt lines; what every file of the hypervisor
 * shares. */
#ifndef VM_H
#define VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KiB           (1ull << 10)
#define MiB           (1ull << 20)
#define GiB           (1ull << 30)
#define MAX_VCPUS     64
#define EXIT_REASONS  64        /* above all KVM_EXIT_xxx of today */
#define CMDLINE_MAX   2048      /* Linux reads no more on x86 */
#define KICK_SIGNAL   SIGUSR1   /* sent to a vCPU's thread to end KVM_RUN */
#define RAM_LOW_END   (3 * GiB) /* RAM makes room for devices here ... */
#define RAM_HIGH_BASE (4 * GiB) /* ... and goes on here */

/* What `terrarium` itself exits with; everything else is the guest's own status. */
enum exit_status {
    STATUS_USAGE = 2,          /* the command line is wrong */
    STATUS_HOST_ERROR = 120,   /* a file, /dev/kvm or memory is missing */
    STATUS_TRIPLE_FAULT = 121, /* the guest died */
    STATUS_KVM_ERROR = 122,    /* KVM could not go on running it, or nothing handles why it stopped */
    STATUS_SIGNAL = 128,       /* + the signal's number */
};

struct vm;
struct vcpu;

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

/*
 * The only way into guest memory: the host pointer to the `size` bytes at guest-physical `gpa`, or NULL
 * unless all of them are RAM, side by side. Safe for any numbers.
 */
void *guest_ptr(struct vm *vm, uint64_t gpa, uint64_t size);

/*
 * Note that the loader puts `name` at [gpa, gpa + size). Returns 0, -EFAULT if that is not RAM, -EEXIST if it
 * overlaps what is there, -ENOSPC if there are too many; each after a complain().
 */
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

/* Offsets are relative to the claim; sizes are 1, 2, 4 or 8 bytes. Called with vm->lock held. */
struct bus_ops {
    unsigned sizes; /* the sizes that it takes, or-ed: 1 | 2 | 4 | 8 */
    uint64_t (*read)(struct vm *vm, void *dev, uint64_t offset, unsigned size);
    void (*write)(struct vm *vm, void *dev, uint64_t offset, uint64_t value, unsigned size);
    /* May be NULL: all `count` items of a REP OUTS at once, where one at a time would be slow. */
    void (*write_string)(struct vm *vm, void *dev, uint64_t offset, const void *data, unsigned size,
                         unsigned count);
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

struct bus_access {
    uint64_t addr;
    void *data; /* `count` items of `size` bytes */
    unsigned size, count;
    bool is_write;
};

/*
 * Route [base, base + size) to a device. Returns 0, or after a complain() -EINVAL if the range is empty or
 * wraps, -EEXIST if it overlaps another claim, -ENOSPC if the bus is full.
 */
int bus_claim(struct bus *bus, uint64_t base, uint64_t size, const char *name, const struct bus_ops *ops,
              void *dev);

/* Carry out an access. What nobody claimed reads as all ones and ignores writes, as on a PC. Takes vm->lock.
 */
void bus_access(struct vm *vm, struct bus *bus, const struct bus_access *access);

/* ---- vCPUs (vcpu.c) ---- */

/* One entry of a vCPU's list of last exits: `count` times the same one in a row. */
struct exit_note {
    uint64_t addr; /* of port I/O and MMIO */
    uint64_t count;
    uint8_t reason, size;
    bool is_write;
};

struct vcpu {
    struct vm *vm;
    unsigned id;
    int fd;
    struct kvm_run *run; /* shared with the kernel */
    pthread_t thread;
    bool started; /* thread is valid; guarded by vm->run_lock */
    uint64_t exit_count;
    uint64_t exits[EXIT_REASONS];   /* how often, by reason */
    uint64_t exit_ns[EXIT_REASONS]; /* time in the handlers, only while vm->timed */
    struct exit_note last[8];       /* a ring; last[last_index] is the newest */
    unsigned last_index;
    uint64_t sync; /* KVM_SYNC_X86_xxx that a feature wants to see at exits, or 0; the newest, and the one
                      before: */
    struct kvm_sync_regs seen, seen_before;
};

int vcpu_create(struct vm *vm, unsigned id);
void vcpu_free(struct vcpu *vcpu);
void *vcpu_thread(void *vcpu);

/* Run the guest until its next exit. Returns 0, or -errno of KVM_RUN: -EINTR after a kick. */
int vcpu_enter(struct vcpu *vcpu);

/* The guest cannot go on: say what happened, call the features' died hooks, stop the VM. Returns 0. */
int vcpu_died(struct vcpu *vcpu, int status, const char *what);

/* "port I/O (KVM_EXIT_IO)" */
const char *exit_reason_name(unsigned reason);

/* ---- The machine (vm.c) ---- */

enum wish { WISH_RUN, WISH_PAUSE, WISH_STOP };

/* State that a device wants saved with the VM: plain bytes without host handles. */
struct device_state {
    const char *name;
    void *state;
    size_t size;
};

/* A device that can be the console: it takes what is typed. See devices/console.h. */
struct console {
    const char *name;
    void (*ready)(struct vm *vm, void *dev);
    void *dev;
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
    int (*output)(struct vm *vm, const void *data,
                  size_t size); /* where the console's bytes go; stdout at first */
    void (*irq_sink)(struct vm *vm, unsigned line, int level); /* NULL: nobody listens */
    char cmdline[CMDLINE_MAX];
    struct range modules[4]; /* images for the kernel, in RAM; the first is the initrd */
    unsigned module_count;
    uint64_t rsdp; /* guest-physical address of the ACPI tables; 0: none */
    int kernel_fd; /* the kernel's file, for its symbols; -1: none */

    int kvm_fd, fd;
    int ram_fd;
    struct ram ram[2];
    unsigned ram_count;
    struct range reserved[96];
    unsigned reserved_count;
    struct device_state states[32];
    struct console consoles[4];
    unsigned console_count, console; /* console: the index of the one in use */
    unsigned state_count;
    struct vcpu *vcpus[MAX_VCPUS];
    int (*handlers[EXIT_REASONS])(struct vcpu *vcpu);

    /* lock: held around every call of a device; guards the buses and all device state. */
    pthread_mutex_t lock;
    struct bus ports, mmio;

    /* run_lock: taken last, held briefly; guards what follows. */
    pthread_mutex_t run_lock;
    pthread_cond_t run_changed;
    enum wish wish;
    unsigned resting; /* vCPU threads that stand still, or have ended */
    int status;       /* once stopped: the exit status */
    bool reset;       /* stopped because the guest asked for a reset: start again */
    int stopped_fd;   /* an eventfd, readable once the VM is stopped */
};

/*
 * Make a machine: KVM's VM, RAM, the features' devices, the vCPUs, and what boots. The fields at the top of
 * *vm must be set and the rest be zero. Returns 0 or -errno after a complain(); call vm_destroy() in both
 * cases.
 */
int vm_create(struct vm *vm);
void vm_destroy(struct vm *vm);

/* Start the vCPU threads. Returns 0 or -errno. */
int vm_start(struct vm *vm);

/* Wait for the vCPU threads to end, which they do once someone called vm_stop(). Returns the exit status. */
int vm_join(struct vm *vm);

/* These may be called by any thread, also from a device or an exit handler. The first stop decides the
 * status. */
void vm_stop(struct vm *vm, int status);
void vm_reset(struct vm *vm);
bool vm_stopping(struct vm *vm);

/* Stand still between two guest instructions, and go on. Not from a vCPU thread: it would wait for itself. */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);

/* Called by vcpu_thread() when KVM_RUN was interrupted: rest while paused. Returns false when it is time to
 * end. */
bool vm_may_run(struct vm *vm);

/* Send bytes to the console of the host. A closed stdout stops the VM. Returns 0 or -errno. */
int vm_output(struct vm *vm, const void *data, size_t size);

/* Say which option brings what the VM runs. Returns 0, or -EBUSY after a complain() if another option did
 * before.
 */
int vm_claim_boot(struct vm *vm, const char *option);

/* Append a word to the kernel's command line. Returns 0, or -E2BIG after a complain(). */
int vm_append_cmdline(struct vm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Have a device's state saved with the VM, and find it again by its name (NULL: no such device). */
int vm_add_device_state(struct vm *vm, const char *name, void *state, size_t size);
void *vm_device_state(struct vm *vm, const char *name);

#endif
