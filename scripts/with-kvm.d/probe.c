/*
 * Finds out whether /dev/kvm really runs guests: boots a micro-guest in long mode that takes int3 in ring 0,
 * enters ring 3 with iretq, takes int3 there, and comes back with syscall. Some KVMs can be opened and fail
 * at exactly these. Prints one line that says what was found; exits 0 if everything worked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Guest-physical addresses, which are the virtual ones too. One 2 MiB page maps them all, also for ring 3. */
enum {
    PML4 = 0x1000,
    PDPT = 0x2000,
    PAGE_DIRECTORY = 0x3000,
    GDT = 0x4000,
    IDT = 0x5000,
    TSS = 0x6000,
    KERNEL_STACK = 0x8000,
    USER_STACK = 0x9000,
    CODE = 0xa000,
    MEMORY_SIZE = 0x10000,
};

/* In the order that syscall and sysret demand (AMD APM 2 §6.1.1). */
enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x1b, USER_CODE = 0x23, TASK = 0x28 };

/* The registers of syscall (AMD APM 2 §6.1.1). */
enum { STAR = 0xC0000081, LSTAR = 0xC0000082, SFMASK = 0xC0000084 };

enum { STEP_PORT = 0xE9, MAX_EXITS = 100 };

/* Each letter is written to STEP_PORT when the guest has got that far. */
static const char expected_steps[] = "lbkbs";
static const char *const step_names[] = {
    "64-bit code in ring 0",          "int3 in ring 0",      "iretq in ring 0",
    "iretq to ring 3 and int3 there", "syscall from ring 3",
};

extern const unsigned char guest_start[], guest_breakpoint[], guest_syscall[], guest_end[];

__asm__(".pushsection .rodata\n"
        "guest_start:\n"
        "    mov $'l', %al\n"
        "    out %al, $0xE9\n"
        "    int3\n"
        "    mov $'k', %al\n"
        "    out %al, $0xE9\n"
        "    pushq $0x1b\n"   /* USER_DATA */
        "    pushq $0x9000\n" /* USER_STACK */
        "    pushq $2\n"      /* RFLAGS: only the bit that is always set */
        "    pushq $0x23\n"   /* USER_CODE */
        "    lea 1f(%rip), %rax\n"
        "    push %rax\n"
        "    iretq\n"
        "1:  int3\n"
        "    syscall\n"
        "guest_breakpoint:\n"
        "    mov $'b', %al\n"
        "    out %al, $0xE9\n"
        "    iretq\n"
        "guest_syscall:\n"
        "    mov $'s', %al\n"
        "    out %al, $0xE9\n"
        "    hlt\n"
        "guest_end:\n"
        ".popsection\n");

/* Say what is wrong with this KVM, in the one line that the caller reads. */
static void fail(const char *what)
{
    printf("%s\n", what);
    exit(1);
}

static void fail_errno(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

/* An ioctl that must succeed. */
static int kvm(int fd, unsigned long request, void *argument, const char *name)
{
    int result = ioctl(fd, request, argument);

    if (result < 0)
        fail_errno(name);
    return result;
}

static uint64_t *words(unsigned char *memory, uint64_t gpa)
{
    return (uint64_t *)(memory + gpa);
}

/* Fill guest memory: page tables, descriptor tables, task state, code. */
static void build_guest(unsigned char *memory)
{
    uint64_t handler = CODE + (uint64_t)(guest_breakpoint - guest_start);
    uint64_t stack = KERNEL_STACK;

    words(memory, PML4)[0] = PDPT | 7; /* present, writable, user */
    words(memory, PDPT)[0] = PAGE_DIRECTORY | 7;
    words(memory, PAGE_DIRECTORY)[0] = 0x87; /* the same, and a 2 MiB page */
    words(memory, GDT)[KERNEL_CODE / 8] = 0x00209b0000000000;
    words(memory, GDT)[KERNEL_DATA / 8] = 0x0000930000000000;
    words(memory, GDT)[USER_DATA / 8] = 0x0000f30000000000;
    words(memory, GDT)[USER_CODE / 8] = 0x0020fb0000000000;
    words(memory, GDT)[TASK / 8] = 0x00008b0000000067 | (uint64_t)TSS << 16;
    words(memory, IDT)[3 * 2] =
        0x0000ee0000000000 | (uint64_t)KERNEL_CODE << 16 | handler; /* gate open to ring 3 */
    memcpy(memory + TSS + 4, &stack, sizeof(stack));                /* RSP0 */
    memcpy(memory + CODE, guest_start, (size_t)(guest_end - guest_start));
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, uint8_t system_or_not)
{
    return (struct kvm_segment){
        .selector = selector,
        .limit = 0xffffffff,
        .type = type,
        .present = 1,
        .s = system_or_not,
        .g = system_or_not,
        .l = type == 11 && system_or_not,
        .db = type != 11 && system_or_not,
    };
}

/* Put the vCPU straight into long mode, ring 0, at the first instruction. */
static void set_registers(int vcpu)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rip = CODE, .rsp = KERNEL_STACK, .rflags = 2};

    kvm(vcpu, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
    sregs.cs = segment(KERNEL_CODE, 11, 1);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment(KERNEL_DATA, 3, 1);
    sregs.tr = segment(TASK, 11, 0);
    sregs.tr.base = TSS;
    sregs.tr.limit = 0x67;
    sregs.gdt.base = GDT;
    sregs.gdt.limit = 0x37;
    sregs.idt.base = IDT;
    sregs.idt.limit = 0xfff;
    sregs.cr0 = 0x80000011; /* PG, ET, PE */
    sregs.cr3 = PML4;
    sregs.cr4 = 0x20;   /* PAE */
    sregs.efer = 0x501; /* LMA, LME, SCE */
    kvm(vcpu, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
    kvm(vcpu, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static void set_msr(int vcpu, uint32_t index, uint64_t data)
{
    union {
        struct kvm_msrs list;
        char space[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } msrs = {.list.nmsrs = 1};

    msrs.list.entries[0] = (struct kvm_msr_entry){.index = index, .data = data};
    if (kvm(vcpu, KVM_SET_MSRS, &msrs, "KVM_SET_MSRS") != 1)
        fail("KVM_SET_MSRS refuses the registers of syscall");
}

/* Tell the vCPU where syscall goes. */
static void set_syscall(int vcpu)
{
    set_msr(vcpu, STAR, (uint64_t)KERNEL_DATA << 48 | (uint64_t)KERNEL_CODE << 32);
    set_msr(vcpu, LSTAR, CODE + (uint64_t)(guest_syscall - guest_start));
    set_msr(vcpu, SFMASK, 0);
}

/* Without CPUID some kernels refuse long mode. */
static void set_cpuid(int system, int vcpu)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(struct kvm_cpuid_entry2));

    if (!cpuid)
        fail_errno("memory for CPUID");
    cpuid->nent = 256;
    kvm(system, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
    kvm(vcpu, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
    free(cpuid);
}

/* Run until the guest halts; collect its steps. Returns the exit reason that ended it. */
static uint32_t run_guest(int vcpu, struct kvm_run *run, char *steps)
{
    size_t count = 0;

    for (int exits = 0; exits < MAX_EXITS; exits++) {
        if (ioctl(vcpu, KVM_RUN, 0) < 0)
            fail_errno("KVM_RUN");
        if (run->exit_reason != KVM_EXIT_IO || run->io.port != STEP_PORT || count == strlen(expected_steps))
            break;
        steps[count++] = *((char *)run + run->io.data_offset);
    }
    return run->exit_reason;
}

static void judge(uint32_t reason, const char *steps)
{
    size_t done = 0;

    while (expected_steps[done] && steps[done] == expected_steps[done])
        done++;
    if (expected_steps[done]) {
        printf("a guest fails at %s (exit reason %u)\n", step_names[done], reason);
        exit(1);
    }
    if (reason != KVM_EXIT_HLT)
        fail("a guest cannot halt");
    printf("a guest ran in ring 0 and ring 3, took int3 in both, and came back with syscall\n");
}

/* The kernel's modules may be stuck in an instruction that they cannot emulate: do not wait for them. */
static void give_up(int signal)
{
    static const char text[] = "a guest did not finish within a second\n";

    (void)signal;
    _exit(write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ? 2 : 1);
}

int main(void)
{
    char steps[sizeof(expected_steps)] = "";
    int system = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    signal(SIGALRM, give_up);
    alarm(1);
    if (system < 0)
        fail_errno("/dev/kvm cannot be opened");
    int vm = kvm(system, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
    unsigned char *memory =
        mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail_errno("memory for the guest");
    struct kvm_userspace_memory_region slot = {.memory_size = MEMORY_SIZE,
                                               .userspace_addr = (uint64_t)memory};
    build_guest(memory);
    kvm(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");
    int vcpu = kvm(vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
    int size = kvm(system, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
    struct kvm_run *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        fail_errno("kvm_run page");
    set_cpuid(system, vcpu);
    set_registers(vcpu);
    set_syscall(vcpu);
    judge(run_guest(vcpu, run, steps), steps);
    return 0;
}
