/* QEMU as a child process: started with a socket for each port, ended with us. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t machine;

/* In the new process: become QEMU, which must not outlive us nor get our terminal's signals nor our files. */
static void become_machine(char **qemu, const char *log_path, const int theirs[PORT_COUNT], pid_t parent)
{
    int null = open("/dev/null", O_RDWR), log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(MACHINE_FAILED);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    for (int i = 0; i < PORT_COUNT; i++)
        dup2(theirs[i], FIRST_PORT_FD + i);
    closefrom(FIRST_PORT_FD + PORT_COUNT);
    execvp(qemu[0], qemu);
    fprintf(stderr, "%s: %s\n", qemu[0], strerror(errno));
    _exit(MACHINE_FAILED);
}

int machine_start(char **qemu, const char *log_path, int ports[PORT_COUNT])
{
    int theirs[PORT_COUNT];
    pid_t self = getpid();

    for (int i = 0; i < PORT_COUNT; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            return -1;
        ports[i] = pair[0];
        fcntl(ports[i], F_SETFL, O_NONBLOCK);
        /* Out of the way of the numbers that QEMU gets them under. */
        theirs[i] = fcntl(pair[1], F_DUPFD_CLOEXEC, FIRST_PORT_FD + PORT_COUNT);
        close(pair[1]);
    }
    machine = fork();
    if (machine == 0)
        become_machine(qemu, log_path, theirs, self);
    for (int i = 0; i < PORT_COUNT; i++)
        close(theirs[i]);
    return machine < 0 ? -1 : 0;
}

void machine_stop(void)
{
    kill(machine, SIGKILL);
    waitpid(machine, NULL, 0);
}

void machine_explain(const char *log_path, const char *what)
{
    char text[5001];
    FILE *log = fopen(log_path, "re");
    size_t size = 0;

    if (log) {
        if (fseek(log, -(long)(sizeof(text) - 1), SEEK_END) < 0)
            rewind(log);
        size = fread(text, 1, sizeof(text) - 1, log);
        fclose(log);
    }
    text[size] = '\0';
    fprintf(stderr, "with-kvm: the emulated machine %s; its console (%s) ends:\n%s\n", what, log_path,
            size > 0 ? text : "(it is empty)");
}
