/*
 * strace: what processes do becomes lines, in the format of Linux's strace. A session has a reader, which
 * gets the lines through a ring, or it is the console's (the boot option `strace`), which traces every
 * process.
 */
#include "boot.h"
#include "clock.h"
#include "errno.h"
#include "heap.h"
#include "init.h"
#include "printk.h"
#include "strace.h"
#include "string.h"
#include "syscall.h"

#define RING_SIZE     65536
#define ROOM          4096 /* that the ring has before text is added; more than one call's is never added */
#define RESULT_COLUMN 40   /* results stand below each other */

struct session {
    struct mutex lock; /* guards all of this */
    struct wait_queue changed;
    unsigned refs;         /* processes and the reader */
    unsigned alive, total; /* processes now; that there have ever been */
    bool closed;           /* nobody reads */
    bool to_console;
    bool silent; /* only counts */
    char *ring;
    size_t start, used, column;
    int open_line; /* the process whose call has begun on the last line and not ended; or 0 */
    struct strace_set only;
    struct strace_count counts[STRACE_CALLS];
};

/* What process->watched leads to. */
struct traced {
    struct session *session;
    struct traced_call call;
    bool in_call;
    uint64_t started;
    struct text text; /* of the call under way */
};

struct session *session_create(bool to_console)
{
    struct session *session = kmalloc(sizeof(*session));
    char *ring = to_console ? NULL : kmalloc(RING_SIZE);

    if (!session || (!ring && !to_console)) {
        kfree(session);
        kfree(ring);
        return NULL;
    }
    mutex_init(&session->lock);
    wait_queue_init(&session->changed);
    session->refs = 1;
    session->ring = ring;
    session->to_console = to_console;
    memset(&session->only, 0xff, sizeof(session->only));
    return session;
}

void session_put(struct session *session)
{
    if (__atomic_sub_fetch(&session->refs, 1, __ATOMIC_ACQ_REL))
        return;
    kfree(session->ring);
    kfree(session);
}

int session_add(struct session *session, struct process *process)
{
    struct traced *traced = kmalloc(sizeof(*traced));

    if (process->watched || !traced) {
        kfree(traced);
        return process->watched ? -EBUSY : -ENOMEM;
    }
    traced->session = session;
    mutex_lock(&session->lock);
    session->refs++;
    session->alive++;
    session->total++;
    mutex_unlock(&session->lock);
    process->watched = traced;
    return 0;
}

/* The process belongs to no session any more. */
static void forget(struct process *process)
{
    struct traced *traced = process->watched;
    struct session *session = traced->session;

    process->watched = NULL;
    kfree(traced);
    mutex_lock(&session->lock);
    session->alive--;
    mutex_unlock(&session->lock);
    wake_all(&session->changed);
    poll_changed();
    session_put(session);
}

void session_show_only(struct session *session, const struct strace_set *set)
{
    mutex_lock(&session->lock);
    session->only = *set;
    session->silent = true;
    for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
        session->silent = session->silent && !set->bits[i];
    mutex_unlock(&session->lock);
}

int session_count(struct session *session, struct strace_count *count)
{
    uint32_t number = count->number;

    if (number >= STRACE_CALLS)
        return -EINVAL;
    mutex_lock(&session->lock);
    *count = session->counts[number];
    mutex_unlock(&session->lock);
    count->number = number;
    count->missing = !syscall_find(number);
    syscall_name(number, count->name, sizeof(count->name));
    return 0;
}

void session_close(struct session *session)
{
    mutex_lock(&session->lock);
    session->closed = true;
    mutex_unlock(&session->lock);
    wake_all(&session->changed);
}

static bool at_end(const struct session *session)
{
    return session->total > 0 && session->alive == 0;
}

bool session_readable(struct session *session)
{
    return session->used || at_end(session);
}

ssize_t session_read(struct session *session, char *to, size_t n, bool wait)
{
    if (!wait && !session_readable(session))
        return -EAGAIN;
    if (wait_until(&session->changed, session_readable(session), NEVER, true) != 0)
        return -ERESTARTSYS;
    mutex_lock(&session->lock);
    n = MIN(n, MIN(session->used, RING_SIZE - session->start));
    memcpy(to, session->ring + session->start, n);
    session->start = (session->start + n) % RING_SIZE;
    session->used -= n;
    mutex_unlock(&session->lock);
    wake_all(&session->changed);
    return n;
}

/* Add text where the session's text goes. With the lock held; there is room. */
static void put(struct session *session, const char *text)
{
    for (; *text; text++) {
        if (session->to_console) {
            warn(*text == '\n' ? "\r\n" : "%c", *text);
        } else if (session->used < RING_SIZE) {
            session->ring[(session->start + session->used++) % RING_SIZE] = *text;
        }
        session->column = *text == '\n' ? 0 : session->column + 1;
    }
}

/* Wait until the ring has room, and take the lock. */
static void begin(struct session *session)
{
    wait_until(&session->changed, RING_SIZE - session->used >= ROOM || session->closed || session->to_console,
               NEVER, false);
    mutex_lock(&session->lock);
}

static void end(struct session *session)
{
    mutex_unlock(&session->lock);
    wake_all(&session->changed);
    poll_changed();
}

/* Begin a line for the process; a call that another has begun there is put off. With the lock held. */
static void begin_line(struct session *session, const struct process *process)
{
    char prefix[32];

    if (session->open_line)
        put(session, " <unfinished ...>\n");
    session->open_line = 0;
    format(prefix, sizeof(prefix), "[pid %d] ", process->pid);
    if (session->total > 1 || session->to_console)
        put(session, prefix);
}

/* A line that is no call: a signal, an end. */
static void put_line(struct session *session, const struct process *process, const struct text *text)
{
    if (session->silent)
        return;
    begin(session);
    begin_line(session, process);
    put(session, text->bytes);
    put(session, "\n");
    end(session);
}

static bool is_shown(const struct session *session, uint64_t number)
{
    return number >= STRACE_CALLS || (session->only.bits[number / 64] >> number % 64 & 1);
}

static void before(struct process *process, const struct trapframe *f)
{
    struct traced *traced = process->watched;
    struct session *session = traced->session;
    char name[32];

    if (session->closed) {
        forget(process);
        return;
    }
    traced->call = (struct traced_call){f->rax, {f->rdi, f->rsi, f->rdx, f->r10, f->r8, f->r9}, 0, false};
    traced->in_call = true;
    traced->started = clock_ns();
    if (!is_shown(session, f->rax))
        return;
    syscall_name(f->rax, name, sizeof(name));
    traced->text.used = 0;
    text_add(&traced->text, "%s(", name);
    strace_arguments(&traced->text, &traced->call);
    if (session->to_console)
        return; /* whole lines only: programs write there too */
    begin(session);
    begin_line(session, process);
    put(session, traced->text.bytes);
    session->open_line = process->pid;
    end(session);
    traced->text.used = 0;
}

/* Go on with the line that before() began, or with another that says so. With the lock held. */
static void resume_line(struct session *session, const struct process *process, const struct traced *traced)
{
    char name[32];

    if (session->open_line == process->pid) {
        session->open_line = 0;
        return;
    }
    begin_line(session, process);
    if (session->to_console)
        return;
    syscall_name(traced->call.number, name, sizeof(name));
    put(session, "<... ");
    put(session, name);
    put(session, " resumed>");
}

/* The end of a call's line: what is in its text, and then `result`, in a column of its own. */
static void finish_call(struct process *process, struct traced *traced, const char *result)
{
    struct session *session = traced->session;

    begin(session);
    resume_line(session, process, traced);
    put(session, traced->text.bytes);
    do
        put(session, " ");
    while (session->column < RESULT_COLUMN);
    put(session, result);
    put(session, "\n");
    end(session);
}

static void count(struct session *session, const struct traced *traced)
{
    const struct traced_call *call = &traced->call;

    if (call->number >= STRACE_CALLS)
        return;
    mutex_lock(&session->lock);
    struct strace_count *its = &session->counts[call->number];
    its->calls++;
    its->errors += call->result < 0 && call->result > -4096;
    its->ns += clock_ns() - traced->started;
    mutex_unlock(&session->lock);
}

static void after(struct process *process, const struct trapframe *frame)
{
    struct traced *traced = process->watched;
    struct text result = {0};

    if (!traced->in_call)
        return;
    traced->in_call = false;
    traced->call.result = frame->rax;
    traced->call.returned = true;
    count(traced->session, traced);
    if (!is_shown(traced->session, traced->call.number))
        return;
    strace_arguments(&traced->text, &traced->call);
    text_add(&traced->text, ")");
    strace_result(&result, &traced->call);
    finish_call(process, traced, result.bytes);
}

static void delivered(struct process *process, int signal, const struct signal_cause *cause)
{
    struct traced *traced = process->watched;
    struct text text = {0};

    if (signal == SIGKILL)
        return; /* the end says it */
    text_add(&text, "--- ");
    strace_signal(&text, signal);
    text_add(&text, " ");
    strace_siginfo(&text, signal, cause);
    text_add(&text, " ---");
    put_line(traced->session, process, &text);
}

/* Every process of the console's session is told about; elsewhere, children of those that are traced. */
static struct session *everything;

static void born(struct process *child, struct process *parent)
{
    struct traced *traced = parent ? parent->watched : NULL;
    struct session *session = traced ? traced->session : everything;

    if (session && !session->closed)
        session_add(session, child); /* without memory it goes on untraced */
}

/* The calls of the session that Moss does not have, each with how often it was made. */
static void tell_missing(struct session *session)
{
    struct strace_count its;
    const char *between = "calls that Moss does not have: ";

    for (uint32_t number = 0; number < STRACE_CALLS; number++) {
        its.number = number;
        if (session_count(session, &its) != 0 || !its.missing || !its.calls)
            continue;
        warn("%s%s x%lu", between, its.name, its.calls);
        between = ", ";
    }
    if (*between == ',')
        warn("\r\n");
}

static void died(struct process *process, int wait_status)
{
    struct traced *traced = process->watched;
    struct text text = {0};
    int signal = wait_status & 0x7f;

    if (traced->in_call && !signal) { /* exit and exit_group do not return */
        traced->call.result = 0;
        count(traced->session, traced);
        text_add(&traced->text, ")");
        if (is_shown(traced->session, traced->call.number))
            finish_call(process, traced, "= ?");
        text_add(&text, "+++ exited with %d +++", wait_status >> 8);
    } else {
        text_add(&text, "+++ killed by ");
        strace_signal(&text, signal);
        text_add(&text, " +++");
    }
    put_line(traced->session, process, &text);
    if (process == init_process)
        tell_missing(traced->session);
    forget(process);
}

static void strace_init(void)
{
    static const struct syscall_watcher watcher = {before, after, delivered, born, died};

    syscall_watcher = &watcher;
    if (boot_flag("strace"))
        everything = session_create(true);
}

INIT(INIT_FS, strace_init);
