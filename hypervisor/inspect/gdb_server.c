/* The connection with gdb, and the thread that serves it. Both outlive a reset of the machine. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../feature.h"
#include "gdb.h"

#define NUDGE_MS 20

/* The thread's own while it runs; but any thread writes to wake_fd, and whoever ends the VM sets `quit`. */
static struct {
    int listen_fd; /* negative: --gdb stdio */
    int in, out;   /* the connection; negative: none */
    int wake_fd;   /* an eventfd: a vCPU has stopped, or `quit` is set */
    bool open, quit, hang_up;
    pthread_t thread;
    bool started;
    struct packet_reader reader;
    struct reply reply; /* the last one */
} server = {.listen_fd = -1, .in = -1, .out = -1, .wake_fd = -1};

/* ---- Bytes ---- */

void server_wake(void)
{
    eventfd_write(server.wake_fd, 1);
}

static bool quitting(void)
{
    return __atomic_load_n(&server.quit, __ATOMIC_SEQ_CST);
}

/* Returns false if the peer does not take them. One that just does not read must not keep the VM from ending.
 */
static bool write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        struct pollfd fds[] = {{.fd = server.out, .events = POLLOUT},
                               {.fd = server.wake_fd, .events = POLLIN}};
        poll(fds, quitting() ? 2 : 1, 1000);
        ssize_t n = write(server.out, bytes, size);
        if (n < 0 && (errno != EAGAIN || quitting()) && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

void server_send(const struct reply *r)
{
    static char frame[PACKET_MAX + 4];

    if (!write_all(frame, packet_frame(r, frame)))
        server.hang_up = true;
}

void server_hang_up(void)
{
    server.hang_up = true;
}

/* ---- Connections ---- */

static void attach(int in, int out)
{
    server.in = in;
    server.out = out;
    server.hang_up = false;
    server.reader.state = BETWEEN_PACKETS;
    server.reply.size = 0;
    fcntl(out, F_SETFL, fcntl(out, F_GETFL) | O_NONBLOCK);
    vm_pause(gdb.vm);
    gdb.vcpu = gdb.vm->vcpus[0];
    gdb.running = gdb.no_ack = gdb.physical = gdb.can_swbreak = false;
    gdb.attached = true;
}

static void detach(void)
{
    if (server.listen_fd >= 0) /* else it is stdio */
        close(server.in);
    server.in = server.out = -1;
    gdb.running = false;
    run_detach();
}

static void accept_connection(void)
{
    int fd = accept4(server.listen_fd, NULL, NULL, SOCK_CLOEXEC);

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); /* a packet is small, and waited for */
    if (fd >= 0)
        attach(fd, fd);
}

/* ---- Events ---- */

static void report_stop(void)
{
    struct vcpu *vcpu = run_stop() ?: gdb.vcpu;

    if (vm_stopping(gdb.vm))
        return; /* gdb is told at the end */
    gdb.running = false;
    server.reply.size = 0;
    reply_stop(&server.reply, vcpu);
    reply_place(&server.reply, vcpu);
    server_send(&server.reply);
}

static void serve_packet(void)
{
    if (!gdb.no_ack && !write_all("+", 1))
        server.hang_up = true;
    if (!gdb.running && gdb_command(&server.reader, &server.reply))
        server_send(&server.reply);
}

static void serve_byte(uint8_t byte)
{
    switch (packet_feed(&server.reader, byte)) {
    case PACKET_READY:
        serve_packet();
        break;
    case PACKET_DAMAGED:
        server.hang_up |= !write_all("-", 1);
        break;
    case PACKET_AGAIN:
        server_send(&server.reply);
        break;
    case PACKET_INTERRUPT:
        if (gdb.running)
            report_stop();
        break;
    case PACKET_NOTHING:
        break;
    }
}

static void serve_connection(void)
{
    uint8_t bytes[1024];
    ssize_t n = read(server.in, bytes, sizeof bytes);

    for (ssize_t i = 0; i < n && !server.hang_up; i++)
        serve_byte(bytes[i]);
    if (server.hang_up || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        detach();
}

static void *server_thread(void *arg)
{
    eventfd_t count;

    (void)arg;
    if (gdb.attached && gdb.running &&
        !run_resume()) /* over a reset: the new machine goes on as the old one */
        server_wake();
    while (!quitting()) {
        struct pollfd fds[] = {{.fd = server.wake_fd, .events = POLLIN},
                               {.fd = server.in, .events = POLLIN},
                               {.fd = server.in < 0 ? server.listen_fd : -1, .events = POLLIN}};
        if (poll(fds, COUNT(fds), gdb.running ? NUDGE_MS : -1) == 0)
            run_nudge();
        if (fds[0].revents && eventfd_read(server.wake_fd, &count) == 0 && gdb.running)
            report_stop();
        if (fds[1].revents && !vm_stopping(gdb.vm))
            serve_connection();
        if (fds[2].revents)
            accept_connection();
    }
    return NULL;
}

/* ---- The feature ---- */

static struct option options[] = {
    {.name = "gdb",
     .arg = "WHERE",
     .help = "let gdb look in through unix:PATH, tcp:PORT (loopback) or stdio"},
    {.name = "gdb-wait", .help = "stand at the first instruction until gdb says to go on"},
    {0},
};

static void output_to_stderr(struct vm *vm, const void *data, size_t size)
{
    vm_write(vm, STDERR_FILENO, "stderr", data, size);
}

/* With --gdb stdio, stdin and stdout are gdb's: the guest's console has no input, and prints to stderr. */
static int gdb_attach(struct vm *vm)
{
    if (options[0].value && strcmp(options[0].value, "stdio") == 0) {
        vm->host_io = false;
        vm->output = output_to_stderr;
    }
    return options[1].value && !options[0].value
               ? complain(-EINVAL, "--gdb-wait: nobody could say to go on; give --gdb, too")
               : 0;
}

/* Once in a process: a reset makes a new machine for the same gdb. */
static int open_once(const char *where)
{
    if (server.open)
        return 0;
    if (strcmp(where, "stdio") != 0 && (server.listen_fd = gdb_listen(where)) < 0)
        return server.listen_fd;
    server.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server.open = true;
    gdb_probe(gdb.vm);
    if (server.listen_fd < 0)
        attach(STDIN_FILENO, STDOUT_FILENO);
    return 0;
}

static int gdb_boot(struct vm *vm)
{
    if (!options[0].value)
        return 0;
    gdb.vm = vm;
    gdb.vcpu = vm->vcpus[0];
    run_prepare(vm);
    int err = open_once(options[0].value);
    if (err < 0)
        return err;
    if (options[1].value || gdb.attached)
        vm_ask_pause(vm);
    server.quit = false;
    server.started = pthread_create(&server.thread, NULL, server_thread, NULL) == 0;
    return server.started ? 0 : complain(-EAGAIN, "cannot start a thread for gdb");
}

/* Tell gdb how it ended, if it waits for that. */
static void say_goodbye(int status)
{
    bool died = status == STATUS_TRIPLE_FAULT || status == STATUS_KVM_ERROR;

    if (!gdb.running || server.out < 0)
        return;
    server.reply.size = 0;
    if (died || status > STATUS_SIGNAL)
        reply_text(&server.reply, "X%02x", died ? SIGABRT : status - STATUS_SIGNAL);
    else
        reply_text(&server.reply, "W%02x", status);
    server_send(&server.reply);
}

static void gdb_ended(struct vm *vm)
{
    if (!server.open)
        return;
    __atomic_store_n(&server.quit, true, __ATOMIC_SEQ_CST);
    server_wake();
    if (server.started)
        pthread_join(server.thread, NULL);
    server.started = false;
    if (vm->status == STATUS_RESET)
        return;
    say_goodbye(vm->status);
    if (server.in >= 0 && server.listen_fd >= 0)
        close(server.in);
    if (server.listen_fd >= 0)
        gdb_unlisten(server.listen_fd, options[0].value);
    close(server.wake_fd);
    server.open = gdb.attached = false;
    server.in = server.out = server.listen_fd = -1;
}

FEATURE(gdb_server) = {
    .name = "gdb",
    .lab = 10,
    .help = "a gdb server",
    .options = options,
    .attach = gdb_attach,
    .boot = gdb_boot,
    .died = run_died,
    .ended = gdb_ended,
};
