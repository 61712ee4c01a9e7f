/* Where gdb connects: a socket that nobody but this user can reach, or a port of this machine alone. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>
#include "gdb.h"
#include "private_socket.h"

static int listen_tcp(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end || port > 65535)
        return complain(-EINVAL,
                        "--gdb tcp:%s: write it as tcp:PORT. Whoever connects controls the guest, so it is "
                        "the loopback's port; from afar, use ssh -L",
                        text);
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1) < 0) {
        int err = errno;
        close(fd);
        return complain(-err, "--gdb tcp:%s: %s", text, strerror(err));
    }
    getsockname(fd, (struct sockaddr *)&address, &size); /* port 0 has become one that is free */
    fprintf(stderr, "terrarium: waiting for gdb; in gdb: target remote :%u\n", ntohs(address.sin_port));
    return fd;
}

int gdb_listen(const char *where)
{
    const char *text = where;

    if (take_word(&text, "tcp:"))
        return listen_tcp(text);
    if (!take_word(&text, "unix:"))
        return complain(-EINVAL, "--gdb %s: write unix:PATH, tcp:PORT or stdio", where);
    int fd = private_listen("--gdb unix:", text);
    if (fd >= 0)
        fprintf(stderr, "terrarium: waiting for gdb; in gdb: target remote %s\n", text);
    return fd;
}

void gdb_unlisten(int fd, const char *text)
{
    close(fd);
    if (take_word(&text, "unix:"))
        unlink(text);
}
