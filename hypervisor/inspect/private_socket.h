/* A Unix socket that nobody but this user can reach. */
#ifndef PRIVATE_SOCKET_H
#define PRIVATE_SOCKET_H

#include <sys/un.h>

/* The address of the Unix socket at `path`. Returns 0, or -EINVAL after a complain() that begins with `who`
 * if the path is empty, or longer than an address takes (unix(7)). */
int socket_address(const char *who, const char *path, struct sockaddr_un *address);

/*
 * Listen at `path`, with mode 0600 from its first moment on. A socket there that nobody listens to any more
 * is replaced; nothing else is. Returns the descriptor, which does not block, or after a complain() that
 * begins with `option` -EINVAL if the path is none (see above), -EADDRINUSE if something is there, or
 * another -errno of bind(2). The file stays until somebody unlinks it.
 */
int private_listen(const char *option, const char *path);

#endif
