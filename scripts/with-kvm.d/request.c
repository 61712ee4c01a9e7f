/* Gathers what a command inherits (user, directory, environment, terminal) and sends it to the agent. */
#include "request.h"
#include "protocol.h"
#include "terminal.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static struct command command;

void request_prepare(void)
{
    struct sigaction action;

    for (int i = 1; i < 32; i++) {
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            command.ignored_signals |= 1u << i;
    }
    terminal_describe(&command);
}

bool request_ignores(int signal)
{
    return command.ignored_signals & (1u << signal);
}

static void describe_user(void)
{
    int groups = getgroups(MAX_GROUPS, command.groups);

    command.uid = geteuid();
    command.gid = getegid();
    command.group_count = groups > 0 ? (uint32_t)groups : 0;
    command.umask = umask(0);
    umask((mode_t)command.umask);
}

/* Count the strings of a list that ends with NULL, and add their bytes to *size. */
static uint32_t measure(char **list, size_t *size)
{
    uint32_t count = 0;

    for (; list[count]; count++)
        *size += strlen(list[count]) + 1;
    return count;
}

/* Copy the strings of a list to `to`. Returns the place behind them. */
static char *append(char *to, char **list)
{
    for (; *list; list++)
        to = stpcpy(to, *list) + 1;
    return to;
}

int request_send(int port, char **arguments)
{
    char directory[PATH_MAX], *only_directory[] = {directory, NULL};
    struct message message = {.type = MESSAGE_COMMAND};
    size_t size = sizeof(command);
    struct timespec now;
    char *payload;
    int result;

    if (!getcwd(directory, sizeof(directory)))
        return -1;
    describe_user();
    command.argument_count = measure(arguments, &size);
    command.variable_count = measure(environ, &size);
    measure(only_directory, &size);
    payload = malloc(size);
    if (!payload)
        return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    command.seconds = now.tv_sec;
    command.nanoseconds = now.tv_nsec;
    memcpy(payload, &command, sizeof(command));
    append(append(append(payload + sizeof(command), arguments), environ), only_directory);
    message.length = (uint32_t)size;
    result = write_all(port, &message, sizeof(message)) < 0 ? -1 : write_all(port, payload, size);
    free(payload);
    return result;
}
