/* The machine: making it from KVM and the features, and starting, pausing and stopping its vCPUs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "feature.h"

static const char *kvm_open_advice(int err)
{
    if (err == EACCES || err == EPERM)
        return "join the group that owns it (usually: sudo usermod -aG kvm $USER, then log in again)";
    return "load the kvm_intel or kvm_amd module, or run this under scripts/with-kvm";
}

static int kvm_open(struct vm *vm)
{
    static const int needed[] = {KVM_CAP_USER_MEMORY, KVM_CAP_IMMEDIATE_EXIT, KVM_CAP_EXT_CPUID};

    vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (vm->kvm_fd < 0)
        return complain(-errno, "/dev/kvm: %s; %s", strerror(errno), kvm_open_advice(errno));
    int version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return complain(-ENOTSUP, "/dev/kvm speaks API version %d, not %d; run this under scripts/with-kvm",
                        version, KVM_API_VERSION);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, needed[i]) <= 0)
            return complain(-ENOTSUP, "/dev/kvm lacks extension %d; run this under scripts/with-kvm",
                            needed[i]);
    vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
    if (vm->fd < 0)
        return complain(-errno, "KVM cannot create a VM: %s", strerror(errno));
    /* Older Intel CPUs run real mode with the help of four pages; any free place below 4 GiB will do. */
    uint64_t identity_map = 0xfffbc000;
    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    ioctl(vm->fd, KVM_SET_TSS_ADDR, identity_map + 0x1000);
    return 0;
}

static void kicked(int signal)
{
    (void)signal; /* its arrival alone ends KVM_RUN */
}

static void vm_init(struct vm *vm)
{
    struct sigaction action = {.sa_handler =
                                   kicked}; /* without SA_RESTART: a blocked write must return too */

    sigaction(KICK_SIGNAL, &action, NULL);
    pthread_mutex_init(&vm->lock, NULL);
    pthread_mutex_init(&vm->run_lock, NULL);
    pthread_cond_init(&vm->run_changed, NULL);
    vm->ports.kind = "port";
    vm->mmio.kind = "address";
    vm->kvm_fd = vm->fd = vm->ram_fd = vm->kernel_fd = -1;
    vm->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* Attach all features in start-up order, and fill the table of exit handlers. */
static int vm_attach(struct vm *vm)
{
    FOR_EACH_FEATURE(f)
    {
        for (const struct exit_handler *h = (*f)->exits; h && h->handle; h++)
            vm->handlers[h->reason] = h->handle;
        int err = (*f)->attach ? (*f)->attach(vm) : 0;
        if (err)
            return err;
    }
    if (vm->cpus > 1 && !vm->irqchip)
        return complain(
            -EINVAL,
            "--cpus %u: a second CPU is started by an interrupt, and this machine has no interrupt "
            "controller; use --cpus 1",
            vm->cpus);
    return 0;
}

int vm_create(struct vm *vm)
{
    vm_init(vm);
    int err = kvm_open(vm);
    if (err == 0)
        err = memory_init(vm);
    if (err == 0)
        err = vm_attach(vm);
    for (unsigned i = 0; err == 0 && i < vm->cpus; i++)
        err = vcpu_create(vm, i);
    FOR_EACH_FEATURE(f)
    if (err == 0 && (*f)->boot)
        err = (*f)->boot(vm);
    return err;
}

void vm_destroy(struct vm *vm)
{
    for (struct feature **f = __stop_features; f-- > __start_features;) /* last come, first gone */
        if ((*f)->detach)
            (*f)->detach(vm);
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++)
        vcpu_free(vm->vcpus[i]);
    memory_free(vm);
    const int fds[] = {vm->kernel_fd, vm->fd, vm->kvm_fd, vm->stopped_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_cond_destroy(&vm->run_changed);
    pthread_mutex_destroy(&vm->run_lock);
    pthread_mutex_destroy(&vm->lock);
}

int vm_start(struct vm *vm)
{
    pthread_attr_t attr;
    int err = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 128 * KiB);
    pthread_mutex_lock(&vm->run_lock);
    for (unsigned i = 0; err == 0 && i < vm->cpus; i++) {
        err = pthread_create(&vm->vcpus[i]->thread, &attr, vcpu_thread, vm->vcpus[i]);
        vm->vcpus[i]->started = err == 0;
    }
    pthread_mutex_unlock(&vm->run_lock);
    pthread_attr_destroy(&attr);
    return err ? complain(-err, "cannot start a thread for each vCPU: %s", strerror(err)) : 0;
}

/* A kick may come just before a write to a full pipe blocks, and be lost on it: kick a stopping thread until
 * it ends. */
static void vcpu_join(struct vcpu *vcpu)
{
    struct timespec until;

    do {
        if (vm_stopping(vcpu->vm))
            pthread_kill(vcpu->thread, KICK_SIGNAL);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
    } while (pthread_timedjoin_np(vcpu->thread, NULL, &until) == ETIMEDOUT);
}

int vm_join(struct vm *vm)
{
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i] && vm->vcpus[i]->started; i++)
        vcpu_join(vm->vcpus[i]);
    FOR_EACH_FEATURE(f)
    if ((*f)->ended)
        (*f)->ended(vm);
    return vm->status;
}

/*
 * Make every vCPU thread look at vm->wish. Whether a thread is inside KVM_RUN or just before it, it comes
 * back: immediate_exit covers the one case, the signal the other. Called with run_lock held.
 */
static void vm_kick(struct vm *vm)
{
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++) {
        struct vcpu *vcpu = vm->vcpus[i];
        __atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        if (vcpu->started)
            pthread_kill(vcpu->thread, KICK_SIGNAL);
    }
}

static void vm_stop_as(struct vm *vm, int status, bool reset)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish != WISH_STOP) {
        vm->wish = WISH_STOP;
        vm->status = status;
        vm->reset = reset;
        vm_kick(vm);
        pthread_cond_broadcast(&vm->run_changed);
        eventfd_write(vm->stopped_fd, 1);
    }
    pthread_mutex_unlock(&vm->run_lock);
}

void vm_stop(struct vm *vm, int status)
{
    vm_stop_as(vm, status, false);
}

void vm_reset(struct vm *vm)
{
    vm_stop_as(vm, 0, true);
}

bool vm_stopping(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    bool stopping = vm->wish == WISH_STOP;
    pthread_mutex_unlock(&vm->run_lock);
    return stopping;
}

void vm_pause(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish == WISH_RUN) {
        vm->wish = WISH_PAUSE;
        vm_kick(vm);
    }
    while (vm->resting < vm->cpus)
        pthread_cond_wait(&vm->run_changed, &vm->run_lock);
    pthread_mutex_unlock(&vm->run_lock);
}

void vm_resume(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish == WISH_PAUSE)
        vm->wish = WISH_RUN;
    pthread_cond_broadcast(&vm->run_changed);
    pthread_mutex_unlock(&vm->run_lock);
}

bool vm_may_run(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    vm->resting++;
    pthread_cond_broadcast(&vm->run_changed);
    while (vm->wish == WISH_PAUSE)
        pthread_cond_wait(&vm->run_changed, &vm->run_lock);
    bool run = vm->wish == WISH_RUN;
    if (run)
        vm->resting--;
    pthread_mutex_unlock(&vm->run_lock);
    return run;
}

static int output_give_up(void *vm)
{
    return vm_stopping(vm);
}

int vm_output(struct vm *vm, const void *data, size_t size)
{
    if (vm->output)
        return vm->output(vm, data, size);
    int err = host_write(STDOUT_FILENO, data, size, output_give_up, vm);
    if (err < 0 && err != -EINTR && !vm_stopping(vm)) {
        complain(err, "cannot write the guest's output to stdout: %s", strerror(-err));
        vm_stop(vm, STATUS_HOST_ERROR);
    }
    return err;
}

int vm_claim_boot(struct vm *vm, const char *option)
{
    if (vm->boot_source)
        return complain(-EBUSY, "%s and %s exclude each other; give one", vm->boot_source, option);
    vm->boot_source = option;
    return 0;
}

int vm_append_cmdline(struct vm *vm, const char *format, ...)
{
    size_t used = strlen(vm->cmdline);
    size_t room = sizeof vm->cmdline - used;
    va_list args;

    va_start(args, format);
    int n = used ? snprintf(vm->cmdline + used, room, " ") : 0;
    n += vsnprintf(vm->cmdline + used + n, room - (size_t)n, format, args);
    va_end(args);
    if ((size_t)n < room)
        return 0;
    vm->cmdline[used] = '\0';
    return complain(-E2BIG, "the kernel's command line is longer than %d bytes; shorten --append",
                    CMDLINE_MAX - 1);
}

int vm_add_device_state(struct vm *vm, const char *name, void *state, size_t size)
{
    if (vm->state_count == sizeof vm->states / sizeof vm->states[0])
        return complain(-ENOSPC, "%s: no room for the state of more than %u devices", name, vm->state_count);
    vm->states[vm->state_count++] = (struct device_state){name, state, size};
    return 0;
}

void *vm_device_state(struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < vm->state_count; i++)
        if (strcmp(vm->states[i].name, name) == 0)
            return vm->states[i].state;
    return NULL;
}
