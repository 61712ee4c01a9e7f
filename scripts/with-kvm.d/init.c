/* The first program of the fallback machine: loads modules, mounts the host's files, starts the agent. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Say on the console what failed; the relay shows its tail when the machine ends without a result. */
static void complain(const char *what, const char *which)
{
    fprintf(stderr, "with-kvm: %s %s: %s\n", what, which, strerror(errno));
}

static int load_module(const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "/modules/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)) {
        complain("cannot load module", name);
        return -1;
    }
    close(fd);
    return 0;
}

/* Load the modules that /modules/order lists, each after those that it needs. */
static int load_modules(void)
{
    char name[64];
    FILE *order = fopen("/modules/order", "re");

    if (!order) {
        complain("cannot open", "/modules/order");
        return -1;
    }
    while (fscanf(order, "%63s", name) == 1) {
        if (load_module(name) < 0)
            return -1;
    }
    fclose(order);
    return 0;
}

static int mount_one(const char *type, const char *source, const char *target, const char *options)
{
    if (mount(source, target, type, 0, options) < 0) {
        complain("cannot mount", target);
        return -1;
    }
    return 0;
}

/*
 * Make the host's root directory the root here, with this machine's own /proc, /sys, /dev and /run over it.
 * /run is a tmpfs because Unix sockets cannot be made on 9p. cache=mmap keeps nothing that is not mapped, so
 * that files which change on the host while the machine runs are seen; cache=loose would be faster and show
 * old ones.
 */
static int enter_host_root(void)
{
    mkdir("/host", 0755);
    if (mount_one("9p", "host", "/host", "trans=virtio,version=9p2000.L,msize=512000,cache=mmap") < 0 ||
        chdir("/host") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0) {
        complain("cannot enter", "the host's root directory");
        return -1;
    }
    if (mount_one("proc", "proc", "/proc", "") < 0 || mount_one("sysfs", "sysfs", "/sys", "") < 0 ||
        mount_one("devtmpfs", "dev", "/dev", "") < 0 || mount_one("tmpfs", "run", "/run", "mode=0755") < 0)
        return -1;
    mkdir("/dev/pts", 0755);
    mkdir("/dev/shm", 01777);
    if (mount_one("devpts", "devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666") < 0 ||
        mount_one("tmpfs", "shm", "/dev/shm", "mode=1777") < 0)
        return -1;
    return 0;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        complain("cannot write", path);
    if (fd >= 0)
        close(fd);
}

static void start_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        complain("cannot start network interface", "lo");
    if (fd >= 0)
        close(fd);
}

/*
 * Keep two small virtual machines for as long as this one runs, one with an interrupt controller and one
 * without. Where KVM's first machine of a kind comes or its last one goes, Linux rewrites its own code (the
 * static keys preempt_notifier_key, kvm_has_noapic_vcpu, apic_sw_disabled), by way of an INT3. QEMU before
 * 8.1 may go on executing that INT3 long after it is gone, if one CPU translates code while the other writes
 * it: both then take the same breakpoint for ever. With these two machines nothing is ever rewritten.
 */
static void hold_machines(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    for (int irqchip = 0; irqchip < 2; irqchip++) {
        int vm = ioctl(kvm, KVM_CREATE_VM, 0);
        if (vm < 0 || (irqchip && ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0) || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
            complain("cannot hold a machine of", "/dev/kvm");
    }
    close(kvm);
}

/* What a distribution's start-up would set, as far as a command may notice. */
static void settle(void)
{
    static const struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1048576};

    write_file("/proc/sys/vm/overcommit_memory", "1"); /* guests may have far more RAM than they ever touch */
    write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
               "advise"); /* for terrarium --huge-pages */
    symlink("/proc/self/fd", "/dev/fd");
    symlink("/proc/self/fd/0", "/dev/stdin");
    symlink("/proc/self/fd/1", "/dev/stdout");
    symlink("/proc/self/fd/2", "/dev/stderr");
    chmod("/dev/kvm", 0666);
    setrlimit(RLIMIT_NOFILE, &files);
    sethostname("with-kvm", 8);
    start_loopback();
}

int main(void)
{
    mkdir("/dev", 0755);
    if (load_modules() == 0 && enter_host_root() == 0) {
        settle();
        hold_machines();
        agent_run();
    }
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}
