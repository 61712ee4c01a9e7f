/* strace: names of flags, choices, signals and errors. */
#include "abi.h"
#include "errno.h"
#include "strace.h"

struct name {
    uint64_t value;
    const char *name;
};

#define NAME(value)                                                                                          \
    {                                                                                                        \
        value, #value                                                                                        \
    }

static const struct name open_flags[] = {
    NAME(O_CREAT),  NAME(O_EXCL),     NAME(O_NOCTTY),           NAME(O_TRUNC),
    NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_DIRECTORY),        NAME(O_NOFOLLOW),
    NAME(O_PATH),   NAME(O_CLOEXEC),  {0100000, "O_LARGEFILE"},
};
static const struct name open_modes[] = {NAME(O_RDONLY), NAME(O_WRONLY), NAME(O_RDWR)};
static const struct name protections[] = {NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC)};
static const struct name mappings[] = {
    NAME(MAP_SHARED), NAME(MAP_PRIVATE), NAME(MAP_FIXED), NAME(MAP_ANONYMOUS), NAME(MAP_FIXED_NOREPLACE),
};
static const struct name clone_flags[] = {
    NAME(CLONE_VM),           NAME(CLONE_VFORK),          NAME(CLONE_SETTLS), NAME(CLONE_PARENT_SETTID),
    NAME(CLONE_CHILD_SETTID), NAME(CLONE_CHILD_CLEARTID),
};
static const struct name wait_options[] = {
    NAME(WNOHANG), NAME(WUNTRACED), NAME(WEXITED), NAME(WCONTINUED), NAME(WNOWAIT),
};
static const struct name access_modes[] = {{4, "R_OK"}, {2, "W_OK"}, {1, "X_OK"}};
static const struct name lookup_flags[] = {
    NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_REMOVEDIR),  NAME(AT_SYMLINK_FOLLOW),
    NAME(AT_NO_AUTOMOUNT),     NAME(AT_EMPTY_PATH),
};
static const struct name remap_flags[] = {NAME(MREMAP_MAYMOVE), {2, "MREMAP_FIXED"}};
static const struct name random_flags[] = {{1, "GRND_NONBLOCK"}, {2, "GRND_RANDOM"}};
static const struct name handler_flags[] = {
    NAME(SA_NOCLDSTOP), NAME(SA_NOCLDWAIT), NAME(SA_SIGINFO), NAME(SA_RESTORER),
    NAME(SA_ONSTACK),   NAME(SA_RESTART),   NAME(SA_NODEFER), NAME(SA_RESETHAND),
};
static const struct name arch_codes[] = {
    {0x1001, "ARCH_SET_GS"}, {0x1002, "ARCH_SET_FS"}, {0x1003, "ARCH_GET_FS"}};
static const struct name process_options[] = {
    {1, "PR_SET_PDEATHSIG"}, {3, "PR_GET_DUMPABLE"}, {4, "PR_SET_DUMPABLE"},
    {15, "PR_SET_NAME"},     {16, "PR_GET_NAME"},
};
static const struct name whences[] = {NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END)};
static const struct name mask_changes[] = {NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK)};
static const struct name clocks[] = {
    {0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},        {2, "CLOCK_PROCESS_CPUTIME_ID"},
    {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"},    {5, "CLOCK_REALTIME_COARSE"},
    {7, "CLOCK_BOOTTIME"},          {6, "CLOCK_MONOTONIC_COARSE"},
};
static const struct name file_commands[] = {
    NAME(F_DUPFD), NAME(F_GETFD), NAME(F_SETFD), NAME(F_GETFL), NAME(F_SETFL), NAME(F_DUPFD_CLOEXEC),
};
static const struct name requests[] = {
    NAME(TCGETS),    NAME(TCSETS),    NAME(TCSETSW),  NAME(TCSETSF),  NAME(TCFLSH),     NAME(TIOCSCTTY),
    NAME(TIOCGPGRP), NAME(TIOCSPGRP), NAME(TIOCGSID), NAME(FIONREAD), NAME(TIOCGWINSZ), NAME(TIOCSWINSZ),
};
static const struct name limits[] = {
    {0, "RLIMIT_CPU"}, {1, "RLIMIT_FSIZE"}, {2, "RLIMIT_DATA"},  NAME(RLIMIT_STACK),    {4, "RLIMIT_CORE"},
    {5, "RLIMIT_RSS"}, NAME(RLIMIT_NPROC),  NAME(RLIMIT_NOFILE), {8, "RLIMIT_MEMLOCK"}, {9, "RLIMIT_AS"},
};

/* Flags may come together; of choices it is one. A letter of strace_arguments.c each. */
static const struct kind {
    char letter;
    bool flags;
    const struct name *names;
    size_t count;
    const char *none; /* what no flag at all is called */
} kinds[] = {
    {'O', true, open_flags, ARRAY_SIZE(open_flags), NULL},
    {'P', true, protections, ARRAY_SIZE(protections), "PROT_NONE"},
    {'M', true, mappings, ARRAY_SIZE(mappings), "0"},
    {'c', true, clone_flags, ARRAY_SIZE(clone_flags), NULL},
    {'W', true, wait_options, ARRAY_SIZE(wait_options), "0"},
    {'n', true, access_modes, ARRAY_SIZE(access_modes), "F_OK"},
    {'C', true, open_flags, ARRAY_SIZE(open_flags), "0"},
    {'@', true, lookup_flags, ARRAY_SIZE(lookup_flags), "0"},
    {'m', true, remap_flags, ARRAY_SIZE(remap_flags), "0"},
    {'h', true, random_flags, ARRAY_SIZE(random_flags), "0"},
    {'B', true, handler_flags, ARRAY_SIZE(handler_flags), "0"},
    {'K', false, arch_codes, ARRAY_SIZE(arch_codes), NULL},
    {'Z', false, process_options, ARRAY_SIZE(process_options), NULL},
    {'l', false, whences, ARRAY_SIZE(whences), NULL},
    {'H', false, mask_changes, ARRAY_SIZE(mask_changes), NULL},
    {'k', false, clocks, ARRAY_SIZE(clocks), NULL},
    {'F', false, file_commands, ARRAY_SIZE(file_commands), NULL},
    {'I', false, requests, ARRAY_SIZE(requests), NULL},
    {'R', false, limits, ARRAY_SIZE(limits), NULL},
};

static void add_choice(struct text *text, const struct kind *kind, uint64_t value)
{
    for (size_t i = 0; i < kind->count; i++) {
        if (kind->names[i].value == value) {
            text_add(text, "%s", kind->names[i].name);
            return;
        }
    }
    text_add(text, "0x%lx", value);
}

/* Add the flags, with `first` (may be empty) before them. */
static void add_flags(struct text *text, const struct kind *kind, uint64_t value, const char *first)
{
    const char *between = *first ? "|" : "";

    text_add(text, "%s", first);
    for (size_t i = 0; i < kind->count; i++) {
        if (!(value & kind->names[i].value))
            continue;
        text_add(text, "%s%s", between, kind->names[i].name);
        value &= ~kind->names[i].value;
        between = "|";
    }
    if (value)
        text_add(text, "%s0x%lx", between, value);
    else if (!*between)
        text_add(text, "%s", kind->none ? kind->none : "0");
}

bool strace_flags(struct text *text, char letter, uint64_t value)
{
    const struct kind *kind = kinds;

    value &= UINT32_MAX; /* all are ints */
    while (kind < kinds + ARRAY_SIZE(kinds) && kind->letter != letter)
        kind++;
    if (kind == kinds + ARRAY_SIZE(kinds))
        return false;
    if (letter == 'O') {
        add_flags(text, kind, value & ~O_ACCMODE,
                  (value & O_ACCMODE) < 3 ? open_modes[value & 3].name : "O_ACCMODE");
    } else if (letter == 'c') {
        add_flags(text, kind, value & ~0xff, "");
        text_add(text, "|");
        strace_signal(text, value & 0xff);
    } else if (kind->flags) {
        add_flags(text, kind, value, "");
    } else {
        add_choice(text, kind, value);
    }
    return true;
}

void strace_signal(struct text *text, uint64_t signal)
{
    static const char *const names[] = {
        "0",         "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
        "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
        "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
        "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS",
    };

    if (signal < ARRAY_SIZE(names))
        text_add(text, "%s", names[signal]);
    else
        text_add(text, "SIGRT_%lu", signal - ARRAY_SIZE(names));
}

static const char *code_name(int signal, int code)
{
    if (code == SI_USER)
        return "SI_USER";
    if (code == SI_KERNEL)
        return "SI_KERNEL";
    if (code == SI_TKILL)
        return "SI_TKILL";
    if (signal == SIGSEGV)
        return code == SEGV_MAPERR ? "SEGV_MAPERR" : "SEGV_ACCERR";
    if (signal != SIGCHLD)
        return NULL;
    return code == CLD_EXITED    ? "CLD_EXITED"
           : code == CLD_KILLED  ? "CLD_KILLED"
           : code == CLD_STOPPED ? "CLD_STOPPED"
                                 : "CLD_CONTINUED";
}

void strace_siginfo(struct text *text, int signal, const struct signal_cause *cause)
{
    const char *code = code_name(signal, cause->code);

    text_add(text, "{si_signo=");
    strace_signal(text, signal);
    if (code)
        text_add(text, ", si_code=%s", code);
    else
        text_add(text, ", si_code=%d", cause->code);
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP)
        text_add(text, ", si_addr=0x%lx", cause->address);
    else if (cause->code != SI_KERNEL)
        text_add(text, ", si_pid=%d, si_uid=0", cause->pid);
    if (signal == SIGCHLD)
        text_add(text, ", si_status=%d", cause->status);
    text_add(text, "}");
}
