/*
 * strace: the arguments of a call as text, like Linux's strace shows them. Each is shown by a letter of
 * syscall_names.c; those from the first that the kernel fills in are shown when the call has returned:
 *
 *   d int   z long   u unsigned   x hexadecimal   o octal   p pointer   - there is none   flags and choices:
 * strace_flags.c s string   D directory descriptor   E strings of argv   N strings of envp, counted   S
 * signal   b bytes to write v pieces (struct iovec)   y what to poll   T timespec   A sigaction   G set of
 * signals filled in: r bytes read   V pieces   t stat   e timespec   a sigaction   g set   i status of a
 * child   f string   q two descriptors U utsname   L limit
 */
#include "abi.h"
#include "errno.h"
#include "printk.h"
#include "strace.h"
#include "string.h"
#include "user.h"

#define STRING_SHOWN 32 /* bytes of data, as in Linux's strace */
#define PATH_SHOWN   128
#define ITEMS_SHOWN  16 /* of argv; of pieces */
#define FILLED_IN    "rVteagifqUL"

void text_add(struct text *text, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    text->used += vformat(text->bytes + text->used, sizeof(text->bytes) - text->used, fmt, args);
    va_end(args);
    text->used = MIN(text->used, sizeof(text->bytes) - 1);
}

static void add_pointer(struct text *text, uint64_t value)
{
    if (value)
        text_add(text, "0x%lx", value);
    else
        text_add(text, "NULL");
}

static void add_character(struct text *text, unsigned char c)
{
    static const char escapes[] = "\tt\nn\vv\ff\rr\"\"\\\\";

    for (const char *e = escapes; *e; e += 2) {
        if ((unsigned char)*e == c) {
            text_add(text, "\\%c", e[1]);
            return;
        }
    }
    if (c >= 32 && c < 127)
        text_add(text, "%c", c);
    else if (c < 8)
        text_add(text, "\\%u", c);
    else if (c < 64)
        text_add(text, "\\%u%u", c >> 3, c & 7);
    else
        text_add(text, "\\%u%u%u", c >> 6, c >> 3 & 7, c & 7);
}

/* A program's bytes in quotes, cut to `shown`. */
static void add_bytes(struct text *text, uint64_t from, uint64_t n, size_t shown)
{
    char bytes[STRING_SHOWN];
    size_t known = MIN(n, MIN(shown, sizeof(bytes)));

    if (!from || copy_from_user(bytes, from, known) != 0) {
        add_pointer(text, from);
        return;
    }
    text_add(text, "\"");
    for (size_t i = 0; i < known; i++)
        add_character(text, bytes[i]);
    text_add(text, n > known ? "\"..." : "\"");
}

static void add_string(struct text *text, uint64_t from, size_t shown)
{
    char first;

    if (!from || copy_from_user(&first, from, 1) != 0) {
        add_pointer(text, from);
        return;
    }
    text_add(text, "\"");
    for (size_t i = 0; i < shown; i++) {
        char c;
        if (copy_from_user(&c, from + i, 1) != 0 || !c) {
            text_add(text, "\"");
            return;
        }
        add_character(text, c);
    }
    text_add(text, "\"...");
}

/* argv as ["a", "b"]; or, counted, where it is and how many there are. */
static void add_strings(struct text *text, uint64_t list, bool counted)
{
    uint64_t string = 0;
    size_t n = 0;

    text_add(text, counted ? "" : "[");
    for (; n < 1000 && copy_from_user(&string, list + n * 8, 8) == 0 && string; n++) {
        if (counted || n > ITEMS_SHOWN)
            continue;
        text_add(text, n ? ", " : "");
        if (n < ITEMS_SHOWN)
            add_string(text, string, STRING_SHOWN);
        else
            text_add(text, "...");
    }
    if (!counted)
        text_add(text, "]");
    else
        text_add(text, "0x%lx /* %zu var%s */", list, n, n == 1 ? "" : "s");
}

static void add_octal(struct text *text, uint32_t value)
{
    char digits[12];
    unsigned at = sizeof(digits) - 1;

    digits[at] = 0;
    do
        digits[--at] = '0' + (value & 7);
    while (value >>= 3);
    text_add(text, digits[at] == '0' ? "%s" : "0%s", digits + at);
}

static void add_timespec(struct text *text, uint64_t from)
{
    struct timespec time;

    if (!from || copy_from_user(&time, from, sizeof(time)) != 0)
        add_pointer(text, from);
    else
        text_add(text, "{tv_sec=%ld, tv_nsec=%ld}", time.sec, time.nsec);
}

static void add_set(struct text *text, uint64_t set)
{
    const char *between = "";
    int count = 0;
    for (uint64_t left = set; left; left &= left - 1)
        count++;
    bool most = count > SIGNALS / 2; /* then those that are missing are shown */

    text_add(text, most ? "~[" : "[");
    for (int signal = 1; signal < 32; signal++) {
        if ((set >> (signal - 1) & 1) == most)
            continue;
        text_add(text, "%s", between);
        struct text name = {0};
        strace_signal(&name, signal);
        text_add(text, "%s", name.bytes + 3); /* without SIG */
        between = " ";
    }
    text_add(text, "]");
}

static void add_user_set(struct text *text, uint64_t from)
{
    uint64_t set;

    if (!from || copy_from_user(&set, from, sizeof(set)) != 0)
        add_pointer(text, from);
    else
        add_set(text, set);
}

static void add_sigaction(struct text *text, uint64_t from)
{
    struct sigaction action;

    if (!from || copy_from_user(&action, from, sizeof(action)) != 0) {
        add_pointer(text, from);
        return;
    }
    if (action.handler <= SIG_IGN)
        text_add(text, "{sa_handler=%s", action.handler == SIG_IGN ? "SIG_IGN" : "SIG_DFL");
    else
        text_add(text, "{sa_handler=0x%lx", action.handler);
    text_add(text, ", sa_mask=");
    add_set(text, action.mask);
    text_add(text, ", sa_flags=");
    strace_flags(text, 'B', action.flags);
    text_add(text, "}");
}

static void add_stat(struct text *text, uint64_t from)
{
    static const char *const types[16] = {[1] = "S_IFIFO", [2] = "S_IFCHR", [4] = "S_IFDIR",
                                          [6] = "S_IFBLK", [8] = "S_IFREG", [10] = "S_IFLNK"};
    struct stat stat;

    if (copy_from_user(&stat, from, sizeof(stat)) != 0) {
        add_pointer(text, from);
        return;
    }
    const char *type = types[stat.mode >> 12 & 15];
    text_add(text, "{st_mode=%s|", type ? type : "?");
    add_octal(text, stat.mode & 07777);
    text_add(text, ", st_size=%ld, ...}", stat.size);
}

static void add_pieces(struct text *text, uint64_t from, uint64_t count, bool show, ssize_t n)
{
    struct iovec piece;

    text_add(text, "[");
    for (uint64_t i = 0; i < MIN(count, ITEMS_SHOWN); i++) {
        if (copy_from_user(&piece, from + i * sizeof(piece), sizeof(piece)) != 0)
            break;
        text_add(text, i ? ", {iov_base=" : "{iov_base=");
        uint64_t filled = MIN(piece.length, (uint64_t)MAX(n, 0));
        if (show)
            add_bytes(text, piece.base, filled, STRING_SHOWN);
        else
            add_pointer(text, piece.base);
        n -= filled;
        text_add(text, ", iov_len=%lu}", piece.length);
    }
    text_add(text, count > ITEMS_SHOWN ? ", ...]" : "]");
}

static void add_polled(struct text *text, uint64_t from, uint64_t count)
{
    struct pollfd fd;

    text_add(text, "[");
    for (uint64_t i = 0; i < MIN(count, ITEMS_SHOWN); i++) {
        if (copy_from_user(&fd, from + i * sizeof(fd), sizeof(fd)) != 0)
            break;
        text_add(text, "%s{fd=%d, events=%s}", i ? ", " : "", fd.fd,
                 fd.events == POLLIN    ? "POLLIN"
                 : fd.events == POLLOUT ? "POLLOUT"
                                        : "POLLIN|POLLOUT");
    }
    text_add(text, "]");
}

static void add_directory(struct text *text, int fd)
{
    if (fd == AT_FDCWD)
        text_add(text, "AT_FDCWD");
    else
        text_add(text, "%d", fd);
}

static void add_wait_status(struct text *text, uint64_t from)
{
    int status;

    if (copy_from_user(&status, from, sizeof(status)) != 0)
        add_pointer(text, from);
    else if (status == 0xffff)
        text_add(text, "[{WIFCONTINUED(s)}]");
    else if ((status & 0x7f) == 0)
        text_add(text, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", status >> 8);
    else {
        bool stopped = (status & 0x7f) == 0x7f;
        text_add(text,
                 stopped ? "[{WIFSTOPPED(s) && WSTOPSIG(s) == " : "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        strace_signal(text, stopped ? status >> 8 : status & 0x7f);
        text_add(text, "}]");
    }
}

static void add_filled_in(struct text *text, char letter, const struct traced_call *call, unsigned i)
{
    uint64_t value = call->args[i];
    uint64_t pair[2];
    int fds[2];
    struct utsname name;

    if (call->result < 0 || !value) {
        add_pointer(text, value);
    } else if (letter == 'r') {
        add_bytes(text, value, call->result, STRING_SHOWN);
    } else if (letter == 'V') {
        add_pieces(text, value, call->args[i + 1], true, call->result);
    } else if (letter == 't') {
        add_stat(text, value);
    } else if (letter == 'e') {
        add_timespec(text, value);
    } else if (letter == 'a') {
        add_sigaction(text, value);
    } else if (letter == 'g') {
        add_user_set(text, value);
    } else if (letter == 'i') {
        add_wait_status(text, value);
    } else if (letter == 'f') {
        add_string(text, value, PATH_SHOWN);
    } else if (letter == 'q' && copy_from_user(fds, value, sizeof(fds)) == 0) {
        text_add(text, "[%d, %d]", fds[0], fds[1]);
    } else if (letter == 'U' && copy_from_user(&name, value, sizeof(name)) == 0) {
        text_add(text, "{sysname=\"%s\", nodename=\"%s\", ...}", name.sysname, name.nodename);
    } else if (letter == 'L' && copy_from_user(pair, value, sizeof(pair)) == 0) {
        text_add(text, pair[0] == RLIM_INFINITY ? "{rlim_cur=RLIM_INFINITY, " : "{rlim_cur=%lu, ", pair[0]);
        text_add(text, pair[1] == RLIM_INFINITY ? "rlim_max=RLIM_INFINITY}" : "rlim_max=%lu}", pair[1]);
    } else {
        add_pointer(text, value);
    }
}

static void add_argument(struct text *text, char letter, const struct traced_call *call, unsigned i)
{
    uint64_t value = call->args[i];

    if (strchr(FILLED_IN, letter)) {
        add_filled_in(text, letter, call, i);
    } else if (letter == 'd') {
        text_add(text, "%d", (int)value);
    } else if (letter == 'z') {
        text_add(text, "%ld", value);
    } else if (letter == 'u') {
        text_add(text, "%lu", value);
    } else if (letter == 'x') {
        text_add(text, value ? "0x%lx" : "%lx", value);
    } else if (letter == 'o') {
        add_octal(text, value);
    } else if (letter == 's') {
        add_string(text, value, PATH_SHOWN);
    } else if (letter == 'D') {
        add_directory(text, value);
    } else if (letter == 'E' || letter == 'N') {
        add_strings(text, value, letter == 'N');
    } else if (letter == 'S') {
        strace_signal(text, value);
    } else if (letter == 'b') {
        add_bytes(text, value, call->args[i + 1], STRING_SHOWN);
    } else if (letter == 'v') {
        add_pieces(text, value, call->args[i + 1], true, INT64_MAX);
    } else if (letter == 'y') {
        add_polled(text, value, call->args[i + 1]);
    } else if (letter == 'T') {
        add_timespec(text, value);
    } else if (letter == 'A') {
        add_sigaction(text, value);
    } else if (letter == 'G') {
        add_user_set(text, value);
    } else if (!strace_flags(text, letter, value)) {
        add_pointer(text, value);
    }
}

/* The mode of open counts only if a file may be made. */
static bool is_unused_mode(const char *letters, const struct traced_call *call, unsigned i)
{
    return letters[i] == 'o' && i > 0 && letters[i - 1] == 'O' && !(call->args[i - 1] & O_CREAT);
}

void strace_arguments(struct text *text, const struct traced_call *call)
{
    char letters[8];
    unsigned later = 0; /* from here on the kernel fills in */

    syscall_arguments(call->number, letters, sizeof(letters));
    while (letters[later] && !strchr(FILLED_IN, letters[later]))
        later++;
    for (unsigned i = call->returned ? later : 0; letters[i] && letters[i] != '-' && i < 6; i++) {
        if (is_unused_mode(letters, call, i))
            continue;
        if (i > 0 && (i != later || !call->returned))
            text_add(text, ", ");
        if (i == later && !call->returned)
            break;
        add_argument(text, letters[i], call, i);
    }
}

static bool gives_address(uint64_t number)
{
    return number == 9 || number == 12 || number == 25; /* mmap, brk, mremap */
}

void strace_result(struct text *text, const struct traced_call *call)
{
    ssize_t result = call->result;

    if (result == -ERESTARTSYS || result == -ERESTARTNOHAND)
        text_add(text, "= ? %s (To be restarted)", result == -ERESTARTSYS ? "ERESTARTSYS" : "ERESTARTNOHAND");
    else if (result < 0 && result > -4096 && errno_name(-result))
        text_add(text, "= -1 %s (%s)", errno_name(-result), errno_text(-result));
    else if (result < 0 && result > -4096)
        text_add(text, "= -1 (errno %ld)", -result);
    else
        text_add(text, gives_address(call->number) ? "= 0x%lx" : "= %ld", result);
}
