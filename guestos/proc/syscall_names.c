/*
 * All system calls of Linux on x86-64, by number (Linux: arch/x86/entry/syscalls/syscall_64.tbl), those that
 * Moss has not included. Behind the colon, how the arguments are shown, a letter each: see
 * strace_arguments.c. Without one, they are shown as numbers.
 */
#include "printk.h"
#include "strace.h"
#include "string.h"

/* From number 0. */
static const char calls[] =
    "read:dru write:dbu open:sOo close:d stat:st fstat:dt lstat:st poll:yud lseek:dzl mmap:puPMdx "
    "mprotect:puP munmap:pu brk:p rt_sigaction:SAau rt_sigprocmask:HGgu rt_sigreturn:- ioctl:dIp "
    "pread64:druz pwrite64:dbuz readv:dVu writev:dvu access:sn pipe:q select:dpppp sched_yield:- "
    "mremap:puump msync:pux mincore madvise:pud shmget shmat shmctl dup:d dup2:dd pause:- nanosleep:Te "
    "getitimer:dp alarm:u setitimer:dpp getpid:- sendfile:ddpu socket:ddd connect:dpu accept:dpp "
    "sendto recvfrom sendmsg recvmsg shutdown bind:dpu listen:dd getsockname getpeername "
    "socketpair:dddp setsockopt getsockopt clone:cpppp fork:- vfork:- execve:sEN exit:d wait4:diWp "
    "kill:dS uname:U semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl:dFx flock:dd fsync:d "
    "fdatasync:d truncate:sz ftruncate:dz getdents getcwd:fu chdir:s fchdir:d rename:ss mkdir:so "
    "rmdir:s creat:so link:ss unlink:s symlink:ss readlink:sru chmod:so fchmod:do chown:sdd fchown:ddd "
    "lchown:sdd umask:o gettimeofday:pp getrlimit:RL getrusage:dp sysinfo:p times:p ptrace getuid:- "
    "syslog:dpd getgid:- setuid:d setgid:d geteuid:- getegid:- setpgid:dd getppid:- getpgrp:- setsid:- "
    "setreuid:dd setregid:dd getgroups:dp setgroups:dp setresuid:ddd getresuid:ppp setresgid:ddd "
    "getresgid:ppp getpgid:d setfsuid:d setfsgid:d getsid:d capget capset rt_sigpending:gu "
    "rt_sigtimedwait:GpTu rt_sigqueueinfo rt_sigsuspend:Gu sigaltstack:pp utime:sp mknod:sox uselib "
    "personality:x ustat statfs:sp fstatfs:dp sysfs getpriority:dd setpriority:ddd sched_setparam "
    "sched_getparam:dp sched_setscheduler:ddp sched_getscheduler:d sched_get_priority_max "
    "sched_get_priority_min sched_rr_get_interval mlock:pu munlock:pu mlockall:d munlockall:- "
    "vhangup:- modify_ldt pivot_root _sysctl prctl:Zxxxx arch_prctl:Kp adjtimex setrlimit:Rp chroot:s "
    "sync:- acct settimeofday:pp mount:sssxp umount2:sx swapon swapoff reboot:xxxx sethostname:su "
    "setdomainname iopl ioperm create_module init_module delete_module get_kernel_syms query_module "
    "quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security gettid:- readahead setxattr "
    "lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr "
    "lremovexattr fremovexattr tkill:dS time:p futex:pxuTpx sched_setaffinity:dup "
    "sched_getaffinity:dup set_thread_area io_setup io_destroy io_getevents io_submit io_cancel "
    "get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old remap_file_pages "
    "getdents64:dpu set_tid_address:p restart_syscall semtimedop fadvise64:dddd timer_create "
    "timer_settime timer_gettime timer_getoverrun timer_delete clock_settime:kT clock_gettime:ke "
    "clock_getres:ke clock_nanosleep:kxTe exit_group:d epoll_wait epoll_ctl tgkill:ddS utimes:sp "
    "vserver mbind set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive "
    "mq_notify mq_getsetattr kexec_load waitid:ddpWp add_key request_key keyctl ioprio_set ioprio_get "
    "inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat:DsOo mkdirat:Dso "
    "mknodat:Dsox fchownat:Dsdd@ futimesat:Dsp newfstatat:Dst@ unlinkat:Ds@ renameat:DsDs linkat:DsDs@ "
    "symlinkat:sDs readlinkat:Dsru fchmodat:Dso faccessat:Dsn pselect6:dppppp ppoll:yuTGu unshare "
    "set_robust_list:pu get_robust_list splice tee sync_file_range vmsplice move_pages utimensat:Dsp@ "
    "epoll_pwait signalfd timerfd_create:dx eventfd fallocate:dxdd timerfd_settime timerfd_gettime "
    "accept4 signalfd4 eventfd2:ux epoll_create1:x dup3:ddC pipe2:qC inotify_init1 preadv:dVud "
    "pwritev:dvud rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark "
    "prlimit64:dRpL name_to_handle_at open_by_handle_at clock_adjtime syncfs:d sendmmsg setns "
    "getcpu:ppp process_vm_readv process_vm_writev kcmp finit_module sched_setattr sched_getattr "
    "renameat2:DsDsx seccomp getrandom:ruh memfd_create:sx kexec_file_load bpf execveat userfaultfd "
    "membarrier mlock2 copy_file_range:dpdpux preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free "
    "statx:Ds@xp io_pgetevents rseq:puxx ";

#define LATER 424 /* the numbers between are those of other architectures */

static const char later_calls[] =
    "pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen "
    "fsconfig fsmount fspick pidfd_open clone3:pu close_range:uux openat2:Dspu pidfd_getfd "
    "faccessat2:Dsn@ process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset "
    "landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv "
    "set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue "
    "statmount listmount lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal ";

/* The call's word, which a space ends, or NULL. */
static const char *find(uint64_t number)
{
    const char *at = number < LATER ? calls : later_calls;

    for (uint64_t skip = number < LATER ? number : number - LATER; skip && *at; skip--)
        at = strchr(at, ' ') + 1;
    return *at ? at : NULL;
}

static size_t length_to(const char *at, const char *ends)
{
    size_t n = 0;

    while (!strchr(ends, at[n]))
        n++;
    return n;
}

void syscall_name(uint64_t number, char *to, size_t size)
{
    const char *call = find(number);

    if (call)
        strcopy(to, call, MIN(size, length_to(call, ": ") + 1));
    else
        format(to, size, "syscall_%#lx", number);
}

void syscall_arguments(uint64_t number, char *to, size_t size)
{
    const char *call = find(number), *colon = call ? call + length_to(call, ": ") : " ";

    if (*colon == ':')
        strcopy(to, colon + 1, MIN(size, length_to(colon + 1, " ") + 1));
    else
        strcopy(to, "xxxxxx", size);
}
