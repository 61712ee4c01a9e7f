/* Collecting the strings for a new program, before the old one and its memory go. */
#include "errno.h"
#include "exec_args.h"
#include "heap.h"
#include "layout.h"
#include "string.h"
#include "user.h"
#include "vfs.h"

void exec_args_free(struct exec_args *args)
{
    kfree(args->bytes);
    args->bytes = NULL;
}

/* Have room for n more bytes. */
static int reserve(struct exec_args *args, size_t n)
{
    size_t room = MAX(args->room, PAGE_SIZE / 2);

    if (n > ARGS_MAX - args->used)
        return -E2BIG;
    if (args->used + n <= args->room)
        return 0;
    while (room < args->used + n)
        room *= 2;
    char *bytes = kmalloc(room);
    if (!bytes)
        return -ENOMEM;
    memcpy(bytes, args->bytes, args->used);
    kfree(args->bytes);
    args->bytes = bytes;
    args->room = room;
    return 0;
}

int exec_args_add(struct exec_args *args, const char *string)
{
    size_t n = strlen(string) + 1;
    int error = reserve(args, n);

    if (error == 0) {
        memcpy(args->bytes + args->used, string, n);
        args->used += n;
    }
    return error;
}

static int add_from_user(struct exec_args *args, uint64_t string)
{
    for (;;) {
        char c;
        if (copy_from_user(&c, string++, 1) != 0)
            return -EFAULT;
        int error = reserve(args, 1);
        if (error)
            return error;
        args->bytes[args->used++] = c;
        if (!c)
            return 0;
    }
}

/* Add all strings of a list that ends with NULL. No list at all is an empty one, as in Linux. */
static int add_list(struct exec_args *args, uint64_t list, size_t *count)
{
    for (; list; list += sizeof(uint64_t), ++*count) {
        uint64_t string;
        if (copy_from_user(&string, list, sizeof(string)) != 0)
            return -EFAULT;
        if (!string)
            break;
        int error = *count >= ARGS_MAX / sizeof(string) ? -E2BIG : add_from_user(args, string);
        if (error)
            return error;
    }
    return 0;
}

int exec_args_take(struct exec_args *args, uint64_t path, uint64_t argv, uint64_t envp)
{
    *args = (struct exec_args){0};
    int error = add_from_user(args, path);
    if (error == 0 && args->used > PATH_MAX)
        error = -ENAMETOOLONG;
    if (error == 0 && args->used == 1)
        error = -ENOENT;
    if (error == 0)
        error = add_list(args, argv, &args->argc);
    if (error == 0 && args->argc == 0) { /* programs count on argv[0] */
        error = exec_args_add(args, "");
        args->argc = 1;
    }
    args->argv_end = args->used;
    return error ? error : add_list(args, envp, &args->envc);
}

int exec_args_interpret(struct exec_args *args, const char *interpreter, const char *argument)
{
    struct exec_args new = {.argc = args->argc + 1 + (argument != NULL), .envc = args->envc};
    const char *script = args->bytes, *rest = script + strlen(script) + 1;
    int error = exec_args_add(&new, interpreter);

    rest += strlen(rest) + 1; /* argv[0] gives way to the script's path */
    if (error == 0)
        error = exec_args_add(&new, interpreter);
    if (error == 0 && argument)
        error = exec_args_add(&new, argument);
    if (error == 0)
        error = exec_args_add(&new, script);
    size_t left = args->bytes + args->used - rest;
    if (error == 0)
        error = reserve(&new, left);
    if (error) {
        exec_args_free(&new);
        return error;
    }
    new.argv_end = new.used + (args->argv_end - (rest - args->bytes));
    memcpy(new.bytes + new.used, rest, left);
    new.used += left;
    exec_args_free(args);
    *args = new;
    return 0;
}
