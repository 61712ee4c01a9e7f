/*
 * The terminal: /dev/console and /dev/tty. Turns bytes of the console into lines (echo, erase, ^C, ^D) as
 * termios(3) describes, or, with the option `notty`, passes them on untouched. With `escaped` as well, the
 * input begins behind ^D s and ends at ^D e, and ^D ^D is a ^D: for a serial line that carries nothing but
 * bytes, and loses the first ones.
 */
#include "boot.h"
#include "clock.h"
#include "console.h"
#include "errno.h"
#include "init.h"
#include "process.h"
#include "string.h"
#include "user.h"
#include "vfs.h"

#define INPUT_SIZE 4096

static struct spinlock lock;   /* guards all of this; taken in interrupts */
static char input[INPUT_SIZE]; /* a ring; positions only grow */
static size_t read_at, line_start,
    write_at;            /* read up to line_start in canonical mode, up to write_at in raw mode */
static bool refused;     /* the driver holds a byte for which there was no room */
static bool end_of_file; /* read gives 0, once in a terminal, for ever without one */
static size_t end_at;    /* in a terminal: what was typed before the end comes first */
static int foreground;   /* process group that ^C goes to */
static int session;
static bool is_tty;                         /* false: a pipe on the other side, nothing is interpreted */
static bool escaped, started, after_escape; /* the option; ^D s has come; the last byte was a ^D */
static struct winsize window = {25, 80, 0, 0};
static struct wait_queue readable = WAIT_QUEUE_INIT(readable);

static struct termios settings = {
    .iflag = ICRNL,
    .oflag = OPOST | ONLCR,
    .cflag = CS8_CREAD_B38400,
    .lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | IEXTEN,
    .cc = {[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1, [VSUSP] = 26},
};

static bool canonical(void)
{
    return is_tty && (settings.lflag & ICANON);
}

static size_t available(void)
{
    if (end_of_file)
        return end_at - read_at;
    return (canonical() ? line_start : write_at) - read_at;
}

static void echo(const char *text, size_t n)
{
    if (settings.lflag & ECHO)
        console_write(text, n);
}

static void echo_byte(char c)
{
    if (c == '\n')
        echo("\r\n", 2);
    else if ((unsigned char)c < 32 && c != '\t' && (settings.lflag & ECHOCTL))
        echo((char[]){'^', c + '@'}, 2);
    else
        echo(&c, 1);
}

static void append(char c)
{
    input[write_at++ % INPUT_SIZE] = c;
}

static void finish_line(void)
{
    line_start = write_at;
    wake_all(&readable);
    poll_changed();
}

static void end_input(void)
{
    if (!end_of_file)
        end_at = write_at;
    end_of_file = true;
}

/* Take back the last byte of the line that is being typed, with all bytes of its UTF-8 character. */
static void erase_one(void)
{
    bool continuation = true;

    if (write_at == line_start)
        return;
    while (write_at > line_start && continuation)
        continuation = (input[--write_at % INPUT_SIZE] & 0xc0) == 0x80;
    echo("\b \b", 3);
}

/* ^C, ^\ and ^Z: what was typed before them is forgotten, and the programs in the foreground are told. */
static bool send_signal(char c)
{
    int signal = 0;

    if (c == settings.cc[VINTR])
        signal = SIGINT;
    else if (c == settings.cc[VQUIT])
        signal = SIGQUIT;
    else if (c == settings.cc[VSUSP])
        signal = SIGTSTP;
    if (!signal || !(settings.lflag & ISIG))
        return false;
    echo_byte(c);
    if (!(settings.lflag & NOFLSH)) {
        write_at = read_at = line_start;
        end_of_file = false;
    }
    signal_send_group(foreground, signal, (struct signal_cause){.code = SI_KERNEL});
    return true;
}

static void type_in_line(char c)
{
    if (c == settings.cc[VERASE] || c == '\b') {
        erase_one();
    } else if (c == settings.cc[VKILL]) {
        while (write_at != line_start)
            erase_one();
    } else if (c == settings.cc[VEOF]) {
        if (write_at == line_start)
            end_input();
        finish_line();
    } else {
        echo_byte(c);
        append(c);
        /* a line that fills the buffer is handed over in parts, or its reader would wait for ever */
        if (c == '\n' || write_at - read_at == INPUT_SIZE)
            finish_line();
    }
}

static void type_byte(char c)
{
    if (c == '\r' && (settings.iflag & ICRNL))
        c = '\n';
    if (send_signal(c))
        return;
    if (settings.lflag & ICANON) {
        type_in_line(c);
        return;
    }
    echo_byte(c);
    append(c);
    finish_line();
}

static void receive(int byte)
{
    if (byte != CONSOLE_EOF && is_tty) {
        type_byte(byte);
        return;
    }
    if (byte == CONSOLE_EOF)
        end_input();
    else
        append(byte);
    finish_line();
}

#define ESCAPE 4

/* Undo the escaping. Returns false if the byte by itself means nothing. */
static bool unescape(int *byte)
{
    if (!escaped)
        return true;
    if (!after_escape) {
        after_escape = *byte == ESCAPE;
        return started && !after_escape;
    }
    after_escape = false;
    if (*byte == 'e')
        *byte = CONSOLE_EOF;
    if (*byte != 's')
        return started;
    started = true;
    return false;
}

/* From the console driver, for each byte that arrives. */
static bool take_input(int byte)
{
    spin_lock(&lock);
    refused = write_at - read_at == INPUT_SIZE;
    if (refused) {
        spin_unlock(&lock);
        return false;
    }
    if (unescape(&byte))
        receive(byte);
    spin_unlock(&lock);
    return true;
}

static bool ready(void)
{
    return available() > 0 || end_of_file;
}

/* Take bytes; in canonical mode at most one line. With the lock held. */
static size_t take(char *to, size_t n)
{
    size_t taken = 0;

    while (taken < n && available() > 0) {
        char c = input[read_at++ % INPUT_SIZE];
        to[taken++] = c;
        if (canonical() && c == '\n')
            break;
    }
    line_start = MAX(line_start, read_at);
    return taken;
}

/* Until when a read waits: in raw mode with VMIN 0 for VTIME tenths of a second, then it returns 0. */
static uint64_t read_deadline(void)
{
    if (!is_tty || (settings.lflag & ICANON) || settings.cc[VMIN] > 0)
        return NEVER;
    return clock_ns() + settings.cc[VTIME] * (NS_PER_SECOND / 10);
}

static ssize_t tty_read(struct file *file, void *to, size_t n)
{
    size_t taken;
    bool resume;

    if ((file->flags & O_NONBLOCK) && !ready())
        return -EAGAIN;
    uint64_t deadline = read_deadline();
    do {
        int error = is_tty ? terminal_read_allowed(session, foreground) : 0;
        if (error)
            return error;
        error = wait_until(&readable, ready(), deadline, true);
        if (error)
            return error == -ETIMEDOUT ? 0 : -ERESTARTSYS;
        spin_lock(&lock);
        taken = take(to, n);
        bool end = taken == 0 && end_of_file;
        if (end && is_tty)
            end_of_file = false; /* ^D ends one read, not the terminal */
        resume = refused;
        refused = false;
        spin_unlock(&lock);
        if (resume)
            console_resume_input();
        if (end)
            return 0;
    } while (taken == 0);
    return taken;
}

/* Fill `out` with what the beginning of the text becomes, and return how much of the text that was. A newline
 * on a terminal also means going to the left. */
static size_t prepare_output(char out[CONSOLE_CHUNK], size_t *used, const char *text, size_t n)
{
    bool go_left = is_tty && (settings.oflag & OPOST) && (settings.oflag & ONLCR);
    size_t taken = 0;

    *used = 0;
    while (taken < n && *used < CONSOLE_CHUNK - 1) {
        if (go_left && text[taken] == '\n')
            out[(*used)++] = '\r';
        out[(*used)++] = text[taken++];
    }
    return taken;
}

static ssize_t tty_write(struct file *file, const void *from, size_t n)
{
    char out[CONSOLE_CHUNK];
    size_t done = 0, used;

    (void)file;
    while (done < n) {
        size_t taken = prepare_output(out, &used, (const char *)from + done, n - done);
        if (!console_write_sleeping(out, used, done + taken < n))
            return done ? (ssize_t)done : -ERESTARTSYS;
        done += taken;
    }
    return done;
}

static int tty_poll(struct file *file)
{
    (void)file;
    return (ready() ? POLLIN : 0) | POLLOUT;
}

static int set_termios(uint64_t arg, bool flush)
{
    struct termios new;

    if (copy_from_user(&new, arg, sizeof(new)) != 0)
        return -EFAULT;
    spin_lock(&lock);
    if (flush) {
        read_at = line_start = write_at;
        end_of_file = false;
    }
    settings = new;
    if (!canonical())
        line_start = write_at; /* a line half typed is input now */
    bool resume = refused && flush;
    spin_unlock(&lock);
    if (resume)
        console_resume_input();
    return 0;
}

/* Programs in the foreground that draw on the screen are told that it has another size. */
static void set_window(struct winsize new)
{
    spin_lock(&lock);
    bool changed = memcmp(&window, &new, sizeof(new)) != 0;
    window = new;
    spin_unlock(&lock);
    if (changed)
        signal_send_group(foreground, SIGWINCH, (struct signal_cause){.code = SI_KERNEL});
}

/* From the console driver. */
static void screen_resized(unsigned rows, unsigned columns)
{
    set_window((struct winsize){.rows = rows, .columns = columns});
}

static int take_window(uint64_t arg)
{
    struct winsize new;

    if (copy_from_user(&new, arg, sizeof(new)) != 0)
        return -EFAULT;
    set_window(new);
    return 0;
}

static int set_foreground(uint64_t arg)
{
    int group;

    if (copy_from_user(&group, arg, sizeof(group)) != 0)
        return -EFAULT;
    if (group <= 0)
        return -EINVAL;
    foreground = group;
    return 0;
}

static int give_int(uint64_t arg, int value)
{
    return copy_to_user(arg, &value, sizeof(value));
}

static int tty_ioctl(struct file *file, uint32_t request, uint64_t arg)
{
    (void)file;
    if (!is_tty)
        return -ENOTTY;
    switch (request) {
    case TCGETS:
        return copy_to_user(arg, &settings, sizeof(settings));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_termios(arg, request == TCSETSF);
    case TCFLSH:
        return 0;
    case TIOCSCTTY:
        session = current_process()->sid;
        foreground = current_process()->pgid;
        return 0;
    case TIOCGPGRP:
        return give_int(arg, foreground);
    case TIOCSPGRP:
        return set_foreground(arg);
    case TIOCGSID:
        return give_int(arg, session);
    case TIOCGWINSZ:
        return copy_to_user(arg, &window, sizeof(window));
    case TIOCSWINSZ:
        return take_window(arg);
    case FIONREAD:
        return give_int(arg, available());
    default:
        return -ENOTTY;
    }
}

static const struct vnode_ops tty_ops = {
    .stream_read = tty_read,
    .stream_write = tty_write,
    .poll = tty_poll,
    .ioctl = tty_ioctl,
};

DEVFILE(console, "console", S_IFCHR | 0600, 5, 1, &tty_ops);
DEVFILE(tty, "tty", S_IFCHR | 0666, 5, 0, &tty_ops);

static void tty_init(void)
{
    is_tty = !boot_flag("notty");
    escaped = boot_flag("escaped");
    console_set_reader(take_input);
    console_on_resize(screen_resized);
}

/* When all drivers are there: input that one console took before another one came would be stuck in it. */
INIT(INIT_FS, tty_init);
