/* Where gdb connects: a socket that nobody but this user can reach. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>
#include "gdb.h"
#include "private_socket.h"

#define TCP_DEFAULT "127.0.0.1"

static int listen_unix(const char *path)
{
    int fd = private_listen("--gdb unix:", path);

    if (fd >= 0)
        fprintf(stderr, "terrarium: waiting for gdb; in gdb: target remote %s\n", path);
    return fd;
}

/* "[ADDR:]PORT" */
static int parse_tcp(const char *text, struct sockaddr_in *address)
{
    const char *colon = strrchr(text, ':');
    char ip[INET_ADDRSTRLEN] = TCP_DEFAULT, *end;
    const char *digits = colon ? colon + 1 : text;
    unsigned long port = strtoul(digits, &end, 10);

    if (colon)
        snprintf(ip, sizeof ip, "%.*s", (int)(colon - text), text);
    if (end == digits || *end || port > 65535 || inet_pton(AF_INET, ip, &address->sin_addr) != 1)
        return complain(-EINVAL, "--gdb tcp:%s: write it as tcp:PORT or tcp:127.0.0.1:PORT", text);
    if (ntohl(address->sin_addr.s_addr) >> 24 != 127)
        return complain(-EINVAL,
                        "--gdb tcp:%s: whoever connects controls the guest, so only loopback addresses are "
                        "allowed; from afar, use ssh -L",
                        text);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    return 0;
}

static int listen_tcp(const char *text)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    int err = parse_tcp(text, &address), fd = -1;

    if (err < 0)
        return err;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1) < 0) {
        err = errno;
        close(fd);
        return complain(-err, "--gdb tcp:%s: %s", text, strerror(err));
    }
    getsockname(fd, (struct sockaddr *)&address, &size); /* port 0 has become one that is free */
    fprintf(stderr, "terrarium: waiting for gdb; in gdb: target remote %s:%u\n", inet_ntoa(address.sin_addr),
            ntohs(address.sin_port));
    return fd;
}

bool gdb_place(const char *text)
{
    return strcmp(text, "stdio") == 0 || strncmp(text, "unix:", 5) == 0 || strncmp(text, "tcp:", 4) == 0;
}

int gdb_listen(const char *text)
{
    return take_word(&text, "unix:")  ? listen_unix(text)
           : take_word(&text, "tcp:") ? listen_tcp(text)
                                      : -EINVAL;
}

void gdb_unlisten(int fd, const char *text)
{
    close(fd);
    if (take_word(&text, "unix:"))
        unlink(text);
}
