/* `terrarium inspect PATH COMMAND [ARGUMENT...]`: ask a running machine by its control socket, and print the
 * answer. */
#include <jansson.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control.h"
#include "private_socket.h"

#define STATUS_REFUSED 1

/* A connection as a stream. NULL after a complain(). */
static FILE *connect_to(const char *path, const struct sockaddr_un *address)
{
    FILE *stream = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        stream = fdopen(fd, "r+");
    if (stream)
        return stream;
    complain(0, "inspect: %s: %s; start a machine with terrarium run --control %s", path, strerror(errno),
             path);
    close(fd);
    return NULL;
}

static void send_request(FILE *stream, int count, char **words)
{
    json_t *arguments = json_array();

    for (int i = 1; i < count; i++)
        json_array_append_new(arguments, json_string(words[i]));
    json_t *request = json_pack("{s:s*, s:o}", "command", words[0], "arguments", arguments);
    json_dumpf(request, stream, JSON_COMPACT);
    json_decref(request);
    fputc('\n', stream);
    fflush(stream);
}

/* Print the answer. Returns the exit status. */
static int show_answer(FILE *stream)
{
    json_t *answer = json_loadf(stream, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
    const char *text = json_string_value(json_object_get(answer, "text"));
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (text)
        fputs(text, stdout);
    else
        complain(0, "inspect: %s", error ?: "the machine ended before it answered");
    json_decref(answer);
    return text ? 0 : STATUS_REFUSED;
}

static int inspect_run(int argc, char **argv)
{
    struct sockaddr_un address;

    if (argc < 3)
        return complain(STATUS_USAGE, "inspect: say which machine and what: terrarium inspect PATH help");
    signal(SIGPIPE, SIG_IGN); /* a machine that ends is an error that is told, not a death */
    if (socket_address("inspect: ", argv[1], &address) < 0)
        return STATUS_USAGE;
    FILE *stream = connect_to(argv[1], &address);
    if (!stream)
        return STATUS_HOST_ERROR;
    send_request(stream, argc - 2, argv + 2);
    int status = show_answer(stream);
    fclose(stream);
    return status;
}

static void inspect_details(void)
{
    puts("\nCommands:");
    control_list(stdout);
    puts("\nPrograms write a line {\"command\": \"walk\", \"arguments\": [\"0x1000\"]} to the socket, and "
         "read a line\n"
         "{\"ok\": true, \"text\": \"...\"} or {\"ok\": false, \"error\": \"...\"}; then the next. How a "
         "feature adds a\n"
         "command of its own stands in hypervisor/inspect/control.h.");
}

COMMAND(inspect) = {
    .name = "inspect",
    .synopsis = "PATH COMMAND [ARGUMENTS]",
    .help = "look at a running machine (run --control PATH)",
    .run = inspect_run,
    .details = inspect_details,
};
