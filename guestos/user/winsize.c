/* winsize: print the terminal's size, rows and columns. With -w, again whenever it changes. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "user.h"

static int print_size(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return complain("the terminal's size");
    printf("%u %u\n", size.ws_row, size.ws_col);
    return finish(0);
}

int main(int argc, char **argv)
{
    bool watch = argc == 2 && strcmp(argv[1], "-w") == 0;
    sigset_t changes;
    int signal_number;

    if (argc > 1 && !watch)
        return usage("winsize [-w]");
    sigemptyset(&changes);
    sigaddset(&changes, SIGWINCH);
    sigprocmask(SIG_BLOCK, &changes, NULL); /* before the first look: no change is missed */
    int status = print_size();
    while (status == 0 && watch && sigwait(&changes, &signal_number) == 0)
        status = print_size();
    return status;
}
