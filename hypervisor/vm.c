/* The machine: making it from KVM and the features, and starting, pausing and stopping its vCPUs. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "feature.h"

static int kvm_open(struct vm *vm)
{
    vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (vm->kvm_fd < 0)
        return complain(
            -EIO, "/dev/kvm: %s; %s", strerror(errno),
            errno == EACCES || errno == EPERM
                ? "join the group that owns it (usually: sudo usermod -aG kvm $USER, then log in again)"
                : "load the kvm_intel or kvm_amd module, or run this under scripts/with-kvm");
    if (ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION ||
        ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) <= 0)
        return complain(-EIO, "/dev/kvm is too old (Linux 4.13 has what is needed); run this under "
                              "scripts/with-kvm");
    vm->fd = kvm_ioctl(vm->kvm_fd, KVM_CREATE_VM, NULL, "create a VM");
    if (vm->fd < 0)
        return vm->fd;
    /* Older Intel CPUs run real mode with the help of four pages; any free place below 4 GiB will do. */
    uint64_t identity_map = 0xfffbc000;
    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    ioctl(vm->fd, KVM_SET_TSS_ADDR, identity_map + PAGE_SIZE);
    return 0;
}

static void kicked(int signal)
{
    (void)signal; /* its arrival alone ends KVM_RUN */
}

static void vm_init(struct vm *vm)
{
    const struct sigaction action = {.sa_handler = kicked}; /* no SA_RESTART: a blocked write must return */

    sigaction(KICK_SIGNAL, &action, NULL);
    pthread_mutex_init(&vm->lock, NULL);
    pthread_mutex_init(&vm->run_lock, NULL);
    pthread_cond_init(&vm->run_changed, NULL);
    vm->ports.kind = "port";
    vm->mmio.kind = "address";
    vm->kvm_fd = vm->fd = vm->ram_fd = vm->kernel_fd = -1;
    vm->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int vm_attach(struct vm *vm)
{
    int err = 0;

    for (struct feature *f = features; f && err == 0; f = f->next)
        err = f->attach ? f->attach(vm) : 0;
    if (err == 0 && vm->cpus > 1 && !vm->irqchip)
        return complain(-EINVAL,
                        "--cpus %u: a second CPU is started by an interrupt, and this machine has no "
                        "interrupt controller; use --cpus 1",
                        vm->cpus);
    return err;
}

int vm_create(struct vm *vm)
{
    vm_init(vm);
    int err = kvm_open(vm);
    if (err == 0)
        err = memory_init(vm);
    if (err == 0)
        err = vm_attach(vm);
    for (unsigned i = 0; i < vm->cpus && err == 0; i++)
        err = vcpu_create(vm, i);
    for (struct feature *f = features; f && err == 0; f = f->next)
        err = f->boot ? f->boot(vm) : 0;
    return err;
}

/* In the opposite order of their start: the later ones use the earlier. */
static void end_features(struct vm *vm, const struct feature *f)
{
    if (!f)
        return;
    end_features(vm, f->next);
    if (f->ended)
        f->ended(vm);
}

void vm_destroy(struct vm *vm)
{
    end_features(vm, features);
    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++)
        vcpu_free(vm->vcpus[i]);
    memory_free(vm);
    for (unsigned i = 0; i < vm->state_count; i++)
        free(vm->states[i].state);
    const int fds[] = {vm->kernel_fd, vm->fd, vm->kvm_fd, vm->stopped_fd};
    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_cond_destroy(&vm->run_changed);
    pthread_mutex_destroy(&vm->run_lock);
    pthread_mutex_destroy(&vm->lock);
}

int vm_start(struct vm *vm)
{
    int err = 0;

    pthread_mutex_lock(&vm->run_lock);
    for (unsigned i = 0; err == 0 && i < vm->cpus; i++) {
        err = pthread_create(&vm->vcpus[i]->thread, NULL, vcpu_thread, vm->vcpus[i]);
        vm->vcpus[i]->started = err == 0;
    }
    pthread_mutex_unlock(&vm->run_lock);
    if (err == 0)
        return 0;
    complain(0, "cannot start a thread for each vCPU: %s", strerror(err));
    vm_stop(vm, STATUS_HOST_ERROR);
    vm_join(vm); /* those that did start */
    return -EAGAIN;
}

/* A kick may come just before a write to a full pipe blocks, and be lost on it: kick a stopping thread until
 * it ends, and the one whose write holds the lock that it may wait for. */
static void vcpu_join(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    struct timespec until;

    do {
        if (vm_stopping(vm))
            pthread_kill(vcpu->thread, KICK_SIGNAL);
        if (vm_stopping(vm) && __atomic_load_n(&vm->writing, __ATOMIC_SEQ_CST))
            pthread_kill(vm->writer, KICK_SIGNAL);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
    } while (pthread_timedjoin_np(vcpu->thread, NULL, &until) == ETIMEDOUT);
    pthread_mutex_lock(&vm->run_lock);
    vcpu->started = false;
    pthread_mutex_unlock(&vm->run_lock);
}

int vm_join(struct vm *vm)
{
    for (unsigned i = 0; i < vm->cpus; i++)
        if (vm->vcpus[i]->started)
            vcpu_join(vm->vcpus[i]);
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

void vm_stop(struct vm *vm, int status)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish != WISH_STOP) {
        vm->wish = WISH_STOP;
        vm->status = status;
        vm_kick(vm);
        pthread_cond_broadcast(&vm->run_changed);
        eventfd_write(vm->stopped_fd, 1);
    }
    pthread_mutex_unlock(&vm->run_lock);
}

bool vm_stopping(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    bool stopping = vm->wish == WISH_STOP;
    pthread_mutex_unlock(&vm->run_lock);
    return stopping;
}

void vm_ask_pause(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish == WISH_RUN) {
        vm->wish = WISH_PAUSE;
        vm_kick(vm);
    }
    pthread_mutex_unlock(&vm->run_lock);
}

/* Called with run_lock held. */
static unsigned vm_started(const struct vm *vm)
{
    unsigned started = 0;

    for (unsigned i = 0; i < vm->cpus && vm->vcpus[i]; i++)
        started += vm->vcpus[i]->started;
    return started;
}

/* A vCPU that starts now does not get beyond vcpu_may_run(). */
void vm_wait_paused(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    while (vm->resting < vm_started(vm))
        pthread_cond_wait(&vm->run_changed, &vm->run_lock);
    pthread_mutex_unlock(&vm->run_lock);
}

void vm_pause(struct vm *vm)
{
    vm_ask_pause(vm);
    vm_wait_paused(vm);
}

void vm_resume(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    if (vm->wish == WISH_PAUSE)
        vm->wish = WISH_RUN;
    pthread_cond_broadcast(&vm->run_changed);
    pthread_mutex_unlock(&vm->run_lock);
}

void vm_freeze(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    vm->freezes++;
    if (vm->wish != WISH_STOP) /* else they end by themselves, and may have been joined */
        vm_kick(vm);
    pthread_mutex_unlock(&vm->run_lock);
    vm_wait_paused(vm);
}

void vm_thaw(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    vm->freezes--;
    pthread_cond_broadcast(&vm->run_changed);
    pthread_mutex_unlock(&vm->run_lock);
}

void vcpu_hold(struct vcpu *vcpu, bool held)
{
    pthread_mutex_lock(&vcpu->vm->run_lock);
    vcpu->held = held;
    pthread_mutex_unlock(&vcpu->vm->run_lock);
}

bool vcpu_may_run(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    pthread_mutex_lock(&vm->run_lock);
    vm->resting++;
    pthread_cond_broadcast(&vm->run_changed);
    while (vm->wish == WISH_PAUSE || (vm->wish == WISH_RUN && (vcpu->held || vm->freezes > 0)))
        pthread_cond_wait(&vm->run_changed, &vm->run_lock);
    bool run = vm->wish == WISH_RUN;
    vm->resting -= run;
    pthread_mutex_unlock(&vm->run_lock);
    return run;
}

void vm_write(struct vm *vm, int fd, const char *name, const void *data, size_t size)
{
    vm->writer = pthread_self();
    __atomic_store_n(&vm->writing, true, __ATOMIC_SEQ_CST);
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n >= 0) {
            data = (const char *)data + n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) { /* someone else made our stdout non-blocking: wait for room */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            complain(0, "cannot write the guest's output to %s: %s", name, strerror(errno));
            vm_stop(vm, STATUS_HOST_ERROR);
        }
        if (size > 0 && vm_stopping(vm))
            break;
    }
    __atomic_store_n(&vm->writing, false, __ATOMIC_SEQ_CST);
}

void vm_output(struct vm *vm, const void *data, size_t size)
{
    if (vm->output)
        vm->output(vm, data, size);
    else
        vm_write(vm, STDOUT_FILENO, "stdout", data, size);
}

void irq_set_line(struct vm *vm, unsigned line, int level)
{
    if (vm->irq_sink) /* until an interrupt controller is there, guests have to poll */
        vm->irq_sink(vm, line, level);
}

int vm_claim_boot(struct vm *vm, const char *option)
{
    if (vm->boot_source)
        return complain(-EINVAL, "%s and %s exclude each other; give one", vm->boot_source, option);
    vm->boot_source = option;
    return 0;
}

int vm_append_cmdline(struct vm *vm, const char *words)
{
    size_t used = strlen(vm->cmdline);

    if (used + 1 + strlen(words) >= CMDLINE_MAX)
        return complain(-E2BIG, "the kernel's command line is longer than %d bytes; shorten --append",
                        CMDLINE_MAX - 1);
    if (used)
        vm->cmdline[used++] = ' ';
    strcpy(vm->cmdline + used, words);
    return 0;
}

void *vm_new_device_state(struct vm *vm, const char *name, size_t size)
{
    void *state = vm->state_count < COUNT(vm->states) ? calloc(1, size) : NULL;

    if (state)
        vm->states[vm->state_count++] = (struct device_state){name, state, size};
    else
        complain(0, "%s: no room for the state of more than %u devices", name ?: "a device", vm->state_count);
    return state;
}

void *vm_new_device(struct vm *vm, size_t size)
{
    return vm_new_device_state(vm, NULL, size);
}
