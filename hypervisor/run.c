/* `terrarium run`: a machine from the options, run until it stops; again if the guest asked for a reset. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "feature.h"

#define STACK_SIZE MiB

static uint64_t memory = 128 * MiB, cpus = 1;

static int memory_set(const char *value)
{
    int err = parse_size("--memory", value, MiB, 512 * GiB, &memory);

    if (err == 0 && memory % PAGE_SIZE)
        return complain(-EINVAL, "--memory %s: not a multiple of %lu bytes; write it like 128M", value,
                        PAGE_SIZE);
    return err;
}

static int cpus_set(const char *value)
{
    return parse_number("--cpus", value, 1, MAX_VCPUS, &cpus);
}

static struct option options[] = {
    {.name = "memory",
     .arg = "SIZE",
     .help = "the guest's RAM, like 64M or 2G (128M); the host gives pages as they are used",
     .set = memory_set},
    {.name = "cpus", .arg = "N", .help = "the number of vCPUs (1)", .set = cpus_set},
    {0},
};

static int machine_boot(struct vm *vm)
{
    if (vm->host_io && !vm->boot_source)
        return complain(-EINVAL, "nothing to run: say which guest; 'terrarium help run' lists the options");
    return 0;
}

FEATURE(machine) = {
    .name = "machine",
    .lab = 1,
    .help = "RAM and vCPUs",
    .options = options,
    .boot = machine_boot,
};

/* Wait until the VM has stopped or a signal asks for the end. */
static void wait_for_end(struct vm *vm, int signal_fd)
{
    struct pollfd fds[] = {{.fd = vm->stopped_fd, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (!vm_stopping(vm))
        if (poll(fds, 2, -1) > 0 && fds[1].revents && read(signal_fd, &info, sizeof info) == sizeof info)
            vm_stop(vm, STATUS_SIGNAL + (int)info.ssi_signo);
}

/* One life of the machine. Returns the exit status, or STATUS_RESET. */
static int run_once(int signal_fd)
{
    struct vm *vm = calloc(1, sizeof *vm);

    if (!vm)
        return complain(STATUS_HOST_ERROR, "no memory for a VM");
    vm->memory = memory;
    vm->cpus = (unsigned)cpus;
    vm->host_io = true;
    int err = vm_create(vm) ?: vm_start(vm);
    int status = err == -EINVAL ? STATUS_USAGE : STATUS_HOST_ERROR;
    if (err == 0) {
        wait_for_end(vm, signal_fd);
        status = vm_join(vm);
    }
    vm_destroy(vm);
    free(vm);
    return status;
}

/* A thread's usual 8 MiB of stack may get a page of 2 MiB from the host, for the few KiB that are needed. */
static void use_small_stacks(void)
{
    pthread_attr_t usual;

    pthread_attr_init(&usual);
    pthread_attr_setstacksize(&usual, STACK_SIZE);
    pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&usual);
}

static int run_command(int argc, char **argv)
{
    static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    sigset_t set;
    int status;

    if (options_parse(argc, argv) < 0)
        return STATUS_USAGE;
    signal(SIGPIPE, SIG_IGN); /* a closed stdout is an error that is reported, not a death */
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(ends); i++)
        sigaddset(&set, ends[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* in all threads: the signals come by signal_fd alone */
    int signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    use_small_stacks();
    do
        status = run_once(signal_fd);
    while (status == STATUS_RESET); /* a reset is a new machine */
    close(signal_fd);
    return status;
}

static void run_details(void)
{
    puts("\nOptions:");
    options_print();
    printf(
        "\nExit status: what the guest passed when it powered off (0 after HLT);\n"
        "  %d the command line is wrong, %d the host lacks something, %d the guest died of a triple fault,\n"
        "  %d KVM could not run the guest any further, %d+n ended by signal n.\n",
        STATUS_USAGE, STATUS_HOST_ERROR, STATUS_TRIPLE_FAULT, STATUS_KVM_ERROR, STATUS_SIGNAL);
}

COMMAND(run) = {
    .name = "run",
    .synopsis = "[OPTIONS]",
    .help = "run a guest",
    .run = run_command,
    .details = run_details,
};
