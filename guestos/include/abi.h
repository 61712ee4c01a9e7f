/* Linux's x86-64 system call interface: the structures and constants that programs and Moss exchange. */
#ifndef ABI_H
#define ABI_H

#include "types.h"

/* Files: <fcntl.h>, <sys/stat.h>, <dirent.h>, <sys/uio.h>, <poll.h>, <sys/statfs.h> */
#define O_ACCMODE   00000003
#define O_RDONLY    00000000
#define O_WRONLY    00000001
#define O_RDWR      00000002
#define O_CREAT     00000100
#define O_EXCL      00000200
#define O_NOCTTY    00000400
#define O_TRUNC     00001000
#define O_APPEND    00002000
#define O_NONBLOCK  00004000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000
#define O_CLOEXEC   02000000
#define O_PATH      010000000

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFCHR  0020000
#define S_IFIFO  0010000

#define S_ISREG(mode) (((mode)&S_IFMT) == S_IFREG)
#define S_ISDIR(mode) (((mode)&S_IFMT) == S_IFDIR)
#define S_ISLNK(mode) (((mode)&S_IFMT) == S_IFLNK)

#define AT_FDCWD            -100
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_REMOVEDIR        0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT     0x800
#define AT_EMPTY_PATH       0x1000

#define PATH_MAX 4096
#define NAME_MAX 255

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC      1

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

struct timespec {
    int64_t sec, nsec;
};

struct timeval {
    int64_t sec, usec;
};

struct stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, pad;
    uint64_t rdev;
    int64_t size, blksize, blocks;
    struct timespec atime, mtime, ctime;
    int64_t unused[3];
};

struct dirent64 {
    uint64_t ino;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

struct iovec {
    uint64_t base, length;
};

#define IOV_MAX 1024

struct pollfd {
    int32_t fd;
    int16_t events, revents;
};

#define POLLIN   0x001
#define POLLPRI  0x002
#define POLLOUT  0x004
#define POLLERR  0x008
#define POLLHUP  0x010
#define POLLNVAL 0x020

struct statfs {
    int64_t type, bsize;
    uint64_t blocks, bfree, bavail, files, ffree, fsid;
    int64_t namelen, frsize, flags, spare[4];
};

/* Terminals: <asm/termbits.h>, <asm/ioctls.h> */
struct termios {
    uint32_t iflag, oflag, cflag, lflag;
    uint8_t line, cc[19];
};

struct winsize {
    uint16_t rows, columns, xpixel, ypixel;
};

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSW    0x5403
#define TCSETSF    0x5404
#define TCFLSH     0x540b
#define TIOCSCTTY  0x540e
#define TIOCGPGRP  0x540f
#define TIOCSPGRP  0x5410
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define FIONREAD   0x541b
#define TIOCGSID   0x5429

#define ICRNL            0000400
#define OPOST            0000001
#define ONLCR            0000004
#define ISIG             0000001
#define ICANON           0000002
#define ECHO             0000010
#define ECHOE            0000020
#define ECHOK            0000040
#define NOFLSH           0000200
#define ECHOCTL          0001000
#define IEXTEN           0100000
#define CS8_CREAD_B38400 0000277

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSUSP = 10 };

/* Memory: <sys/mman.h> */
#define PROT_READ           1
#define PROT_WRITE          2
#define PROT_EXEC           4
#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_FIXED_NOREPLACE 0x100000
#define MREMAP_MAYMOVE      1

/* Processes: <sched.h>, <sys/wait.h>, <sys/resource.h> */
#define CLONE_VM             0x00000100
#define CLONE_VFORK          0x00004000
#define CLONE_SETTLS         0x00080000
#define CLONE_PARENT_SETTID  0x00100000
#define CLONE_CHILD_CLEARTID 0x00200000
#define CLONE_CHILD_SETTID   0x01000000

#define WNOHANG    1
#define WUNTRACED  2 /* the same as WSTOPPED */
#define WEXITED    4
#define WCONTINUED 8
#define WNOWAIT    0x01000000
#define P_ALL      0
#define P_PID      1
#define P_PGID     2

struct rusage {
    struct timeval user, system;
    int64_t other[14];
};

struct rlimit {
    uint64_t current, max;
};

#define RLIMIT_STACK  3
#define RLIMIT_NPROC  6
#define RLIMIT_NOFILE 7
#define RLIM_COUNT    16
#define RLIM_INFINITY UINT64_MAX

/* Signals: <signal.h>, <asm/sigcontext.h>, <asm/ucontext.h> */
#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGSEGV   11
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGNALS   64

#define SIG_DFL 0
#define SIG_IGN 1

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO   0x00000004
#define SA_RESTORER  0x04000000
#define SA_ONSTACK   0x08000000
#define SA_RESTART   0x10000000
#define SA_NODEFER   0x40000000
#define SA_RESETHAND 0x80000000

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SS_ONSTACK  1
#define SS_DISABLE  2
#define MINSIGSTKSZ 2048

/* si_code */
#define SI_USER       0
#define SI_KERNEL     0x80
#define SI_TKILL      -6
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRERR    2
#define FPE_INTDIV    1
#define ILL_ILLOPN    2
#define TRAP_BRKPT    1
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

struct sigaction {
    uint64_t handler, flags, restorer, mask;
};

struct siginfo {
    int32_t signo, error, code, pad0;
    union {
        struct {
            int32_t pid, uid, status;
        } from;
        uint64_t address;
        uint8_t pad[112];
    };
};

struct sigaltstack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct ucontext {
    uint64_t flags, link;
    struct sigaltstack stack;
    struct sigcontext context;
    uint64_t mask;
};

/* System: <sys/utsname.h>, <sys/sysinfo.h>, <sys/reboot.h> */
struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65];
};

struct sysinfo {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint32_t pad1;
    uint64_t totalhigh, freehigh;
    uint32_t unit, pad2;
};

struct tms {
    int64_t user, system, child_user, child_system;
};

#endif
