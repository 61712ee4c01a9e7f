/* `terrarium inspect PATH COMMAND [ARGUMENT...]`: ask a running machine by its control socket, and print the
 * answer. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "json.h"

#define STATUS_REFUSED 1

/* A connection as a stream. NULL after a complain(). */
static FILE *connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *stream = NULL;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
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
    fputs("{\"command\":", stream);
    json_put(stream, words[0], strlen(words[0]));
    fputs(",\"arguments\":[", stream);
    for (int i = 1; i < count; i++) {
        fputs(i > 1 ? "," : "", stream);
        json_put(stream, words[i], strlen(words[i]));
    }
    fputs("]}\n", stream);
    fflush(stream);
}

/* Print the text of an answer. Returns the exit status. */
static int show_answer(char *line, size_t size)
{
    struct json j = json_text(line, size);
    char key[8], *text = malloc(size + 1); /* the text is shorter than the line that it stands in */
    size_t length = 0;
    bool good = false;

    for (json_begin(&j, '{'); text && json_key(&j, key, sizeof key);)
        if (strcmp(key, "ok") == 0) {
            good = json_peek(&j) == 't';
            json_skip(&j);
        } else
            length = json_string(&j, text, size + 1);
    if (!text || !json_done(&j))
        complain(0, "inspect: the machine's answer is no JSON");
    else if (!good)
        complain(0, "inspect: %.*s", (int)length, text);
    else
        fwrite(text, 1, length, stdout);
    free(text);
    return good && !j.error ? 0 : STATUS_REFUSED;
}

static int inspect_run(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;

    if (argc < 3)
        return complain(STATUS_USAGE, "inspect: say which machine and what: terrarium inspect PATH help");
    FILE *stream = connect_to(argv[1]);
    if (!stream)
        return STATUS_HOST_ERROR;
    send_request(stream, argc - 2, argv + 2);
    ssize_t size = getline(&line, &room, stream);
    int status = size > 0 ? show_answer(line, (size_t)size)
                          : complain(STATUS_REFUSED, "inspect: the machine has ended");
    free(line);
    fclose(stream);
    return status;
}

COMMAND(inspect) = {
    .name = "inspect",
    .synopsis = "PATH COMMAND [ARGUMENTS]",
    .help = "look at a running machine (run --control PATH)",
    .run = inspect_run,
};
