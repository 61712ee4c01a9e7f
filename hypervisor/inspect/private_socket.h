/* A Unix socket that nobody but this user can reach. */
#ifndef PRIVATE_SOCKET_H
#define PRIVATE_SOCKET_H

/*
 * Listen at `path`, with mode 0600 from its first moment on. A socket there that nobody listens to any more
 * is replaced; nothing else is. Returns the descriptor, which does not block, or after a complain() that
 * begins with `option` -EINVAL if the path is too long (unix(7)), -EADDRINUSE if something is there, or
 * another -errno of bind(2). The file stays until somebody unlinks it.
 */
int private_listen(const char *option, const char *path);

#endif
