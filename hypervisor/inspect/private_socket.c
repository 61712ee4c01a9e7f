/* Unix sockets: their addresses, and listening on one that is for this user only. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../vm.h"
#include "private_socket.h"

#define BACKLOG 4 /* who waits while another is served */

int socket_address(const char *who, const char *path, struct sockaddr_un *address)
{
    if (!*path || strlen(path) >= sizeof address->sun_path) /* an empty one would be open to all users */
        return complain(-EINVAL, "%s%s: a socket's path has 1 to %zu bytes, this one %zu", who, path,
                        sizeof address->sun_path - 1, strlen(path));
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path, path);
    return 0;
}

/* A socket that nobody listens to any more is left over from a run that was killed. */
static void remove_stale(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;

    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED &&
        lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(address->sun_path);
    close(fd);
}

int private_listen(const char *option, const char *path)
{
    struct sockaddr_un address;

    if (socket_address(option, path, &address) < 0)
        return -EINVAL;
    remove_stale(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    fchmod(fd, 0600); /* before it has a name: there is no moment when others may connect */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int err = errno;
    close(fd);
    return complain(-err, "%s%s: %s%s", option, path, strerror(err),
                    err == EADDRINUSE ? "" : "; not every file system takes sockets: try /run or /dev/shm");
}
