/* execve: the current process becomes another program. */
#include "cpu.h"
#include "elf.h"
#include "errno.h"
#include "exec_args.h"
#include "heap.h"
#include "layout.h"
#include "printk.h"
#include "process.h"
#include "random.h"
#include "string.h"
#include "syscall.h"
#include "user.h"
#include "user_path.h"

#define SCRIPT_LINE  256
#define SCRIPT_DEPTH 4 /* interpreters of interpreters */

/* What the program finds behind its environment (System V ABI §3.4.3, Linux: include/uapi/linux/auxvec.h). */
enum {
    AT_NULL,
    AT_PHDR = 3,
    AT_PHENT,
    AT_PHNUM,
    AT_PAGESZ,
    AT_BASE,
    AT_FLAGS,
    AT_ENTRY,
    AT_UID = 11,
    AT_EUID,
    AT_GID,
    AT_EGID,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31
};

#define RANDOM_BYTES 16

/* Put argument strings, their addresses and the auxiliary vector on the new stack. Returns the stack pointer,
 * or 0. */
static uint64_t build_stack(const struct exec_args *args, const struct elf_program *program)
{
    uint64_t strings = USER_END - ROUND_UP(args->used, 16), random = strings - RANDOM_BYTES;
    uint8_t random_bytes[RANDOM_BYTES];
    const uint64_t auxv[] = {
        AT_PHDR,   program->phdrs,
        AT_PHENT,  56,
        AT_PHNUM,  program->phnum,
        AT_PAGESZ, PAGE_SIZE,
        AT_BASE,   0,
        AT_FLAGS,  0,
        AT_ENTRY,  program->entry,
        AT_UID,    0,
        AT_EUID,   0,
        AT_GID,    0,
        AT_EGID,   0,
        AT_CLKTCK, 100,
        AT_SECURE, 0,
        AT_RANDOM, random,
        AT_EXECFN, strings,
        AT_NULL,   0,
    };
    size_t pointers = args->argc + args->envc + 3; /* argc, and a NULL behind each list */
    uint64_t sp = ROUND_DOWN(random - pointers * 8 - sizeof(auxv), 16), at = sp, string = strings;

    random_fill(random_bytes, sizeof(random_bytes));
    int error = copy_to_user(strings, args->bytes, args->used) |
                copy_to_user(random, random_bytes, RANDOM_BYTES) |
                copy_to_user(at, &(uint64_t){args->argc}, 8);
    string += strlen(args->bytes) + 1; /* the first string is the path */
    for (size_t i = 0; i < args->argc + args->envc; i++) {
        if (i == args->argc)
            at += 8; /* the NULL: a new stack is zero */
        error |= copy_to_user(at += 8, &string, 8);
        string += strlen(args->bytes + (string - strings)) + 1;
    }
    at += args->envc ? 16 : 24;
    error |= copy_to_user(at, auxv, sizeof(auxv));
    return error ? 0 : sp;
}

/* The old memory goes, the new one is used from here on. There is no way back. */
static void adopt(struct process *process, struct address_space *vm)
{
    struct address_space *old = process->vm;

    spin_lock(&process_lock);
    process->vm = vm;
    spin_unlock(&process_lock);
    current_thread()->pml4 = vm->pml4;
    write_cr3(vm->pml4);
    vfork_release(process);
    if (old)
        vm_put(old);
}

/*
 * The program's absolute path, on the heap, as /proc/PID/exe shows it; NULL: no memory. A program that starts
 * itself again by that link keeps the path that it has.
 */
static char *program_path(const char *path)
{
    size_t size = PATH_MAX + strlen(path) + 2;

    if (strncmp(path, "/proc/", 6) == 0 && current_process()->program)
        return kstrdup(current_process()->program);
    if (*path == '/')
        return kstrdup(path);
    char *text = kmalloc(size);
    ssize_t n = text ? path_of(current_process()->cwd, text, PATH_MAX) : -1;
    if (n < 0) {
        kfree(text);
        return NULL;
    }
    format(text + n, size - n, "%s%s", n > 1 ? "/" : "", path);
    return text;
}

static void remember_arguments(struct process *process, const struct exec_args *args)
{
    const char *path = args->bytes, *name = path;

    for (const char *c = path; *c; c++)
        if (*c == '/')
            name = c + 1;
    const char *argv = path + strlen(path) + 1;
    size_t size = args->argv_end - (argv - args->bytes);
    char *copy = kmalloc(size + 1);
    if (copy)
        memcpy(copy, argv, size);
    char *program = program_path(path);
    spin_lock(&process_lock);
    char *old = process->arguments, *old_program = process->program;
    process->program = program;
    strcopy(process->name, name, sizeof(process->name));
    process->arguments = copy;
    process->arguments_size = copy ? size : 0;
    spin_unlock(&process_lock);
    kfree(old);
    kfree(old_program);
}

static void start_registers(struct process *process, uint64_t entry, uint64_t sp)
{
    *process->frame = (struct trapframe){.rip = entry,
                                         .rsp = sp,
                                         .cs = USER_CS,
                                         .ss = USER_DS,
                                         .rflags = RFLAGS_IF | 2,
                                         .vector = SYSCALL_VECTOR};
    process->fs_base = 0;
    process->clear_tid = 0;
    irq_disable();
    fpu_initial(process->fpu);
    process_switch_in(current_thread());
    irq_enable();
}

static int become(struct vnode *node, const struct exec_args *args)
{
    struct process *process = current_process();
    struct elf_program program;
    struct address_space *vm = vm_create();

    if (!vm)
        return -ENOMEM;
    int error = elf_load(node, vm, &program);
    if (error == 0)
        error = vm_map(vm, USER_END - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE, false, NULL, 0, 0);
    if (error) {
        vm_put(vm);
        return error;
    }
    adopt(process, vm);
    files_close_on_exec(process->files);
    signal_reset_handlers(process);
    remember_arguments(process, args);
    uint64_t sp = build_stack(args, &program);
    if (!sp)
        process_exit(SIGKILL); /* no memory, and no old program to return to */
    start_registers(process, program.entry, sp);
    return 0;
}

/* Does the file begin with #! ? Then put the interpreter and its argument into `line` and return 1. */
static int script_interpreter(struct vnode *node, char *line, char **interpreter, char **argument)
{
    ssize_t n = vnode_read(node, line, SCRIPT_LINE - 1, 0);

    if (n < 2 || line[0] != '#' || line[1] != '!')
        return MIN(n, 0);
    line[n] = 0;
    char *end = strchr(line, '\n');
    if (!end)
        return -ENOEXEC; /* too long a first line, or nothing but it */
    while (end[-1] == ' ' || end[-1] == '\r')
        end--;
    *end = 0;
    *interpreter = line + 2;
    while (**interpreter == ' ' || **interpreter == '\t')
        ++*interpreter;
    *argument = strchr(*interpreter, ' ');
    if (*argument) {
        *(*argument)++ = 0;
        while (**argument == ' ')
            ++*argument;
    }
    return **interpreter ? 1 : -ENOEXEC;
}

static int open_program(const char *path, struct vnode **out)
{
    int error = path_lookup(current_process()->cwd, path, true, out);

    if (error)
        return error;
    if (S_ISREG((*out)->mode) && ((*out)->mode & 0111))
        return 0;
    vnode_put(*out);
    return -EACCES;
}

/* Take a script's interpreter instead of the script, as often as need be. */
static int find_program(struct exec_args *args, struct vnode **out)
{
    char line[SCRIPT_LINE], *interpreter = NULL, *argument = NULL;

    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        int error = open_program(args->bytes, out);
        if (error)
            return error;
        int script = script_interpreter(*out, line, &interpreter, &argument);
        if (script == 0)
            return 0;
        vnode_put(*out);
        error = script < 0 ? script : exec_args_interpret(args, interpreter, argument);
        if (error)
            return error;
    }
    return -ELOOP;
}

int process_exec(struct exec_args *args)
{
    struct vnode *node;
    int error = find_program(args, &node);

    if (error)
        return error;
    error = become(node, args);
    vnode_put(node);
    return error;
}

static ssize_t sys_execve(uint64_t path, uint64_t argv, uint64_t envp)
{
    struct exec_args args;
    int error = exec_args_take(&args, path, argv, envp);

    if (error == 0)
        error = process_exec(&args);
    exec_args_free(&args);
    return error;
}

SYSCALL(59, sys_execve);
