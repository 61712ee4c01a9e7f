/* The first process: pid 1 runs init= from the command line, or /bin/init. */
#include "boot.h"
#include "errno.h"
#include "exec_args.h"
#include "heap.h"
#include "init.h"
#include "printk.h"
#include "process.h"
#include "string.h"
#include "syscall.h"

static void open_console(void)
{
    struct file *console;

    if (file_open(root_directory(), "/dev/console", O_RDWR, 0, &console) != 0)
        panic("there is no /dev/console");
    for (int fd = 0; fd < 3; fd++)
        fd_install(file_get(console), 0, false);
    file_put(console);
}

static void init_path(char *path, size_t size)
{
    const char *option = boot_option("init", 0);
    size_t n = 0;

    strcopy(path, "/bin/init", size);
    if (!option)
        return;
    while (option[n] && option[n] != ' ' && n < size - 1)
        n++;
    memcpy(path, option, n);
    path[n] = 0;
}

static int build_arguments(struct exec_args *args)
{
    static const char *const strings[] = {"init", "PATH=/bin", "HOME=/", "TERM=linux"};
    char path[128];
    int error;

    init_path(path, sizeof(path));
    error = exec_args_add(args, path);
    for (unsigned i = 0; i < ARRAY_SIZE(strings) && error == 0; i++) {
        error = exec_args_add(args, strings[i]);
        if (i == 0)
            args->argv_end = args->used;
    }
    args->argc = 1;
    args->envc = ARRAY_SIZE(strings) - 1;
    return error;
}

/* The life of pid 1's thread, until it is a program. */
static void first_process(void *arg)
{
    struct process *process = arg;
    struct exec_args args = {0};

    process->frame = &process->start;
    open_console();
    int error = build_arguments(&args);
    if (error == 0)
        error = process_exec(&args);
    if (error)
        panic("cannot run %s: error %d; %s", args.bytes ? args.bytes : "init", -error,
              error == -ENOMEM ? "memory is full, give the machine more" : "is it in the initrd?");
    exec_args_free(&args);
    process_enter(process);
}

static void start_init(void)
{
    struct process *process = process_create(NULL, first_process);

    if (!process)
        panic("no memory for the first process");
    init_process = process;
    process->files = kmalloc(sizeof(*process->files));
    process->cwd = vnode_get(root_directory());
    if (!process->files)
        panic("no memory for the first process");
    if (syscall_watcher)
        syscall_watcher->born(process, NULL);
    thread_start(process->thread);
}

INIT(INIT_START, start_init);
