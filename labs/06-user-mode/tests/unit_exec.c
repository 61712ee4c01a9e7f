/* The first stack of a program: argc, argv, envp and the auxiliary vector, as its first instruction finds
 * them. */
/* sources: guestos/proc/exec.c guestos/proc/exec_args.c */
/* sources: tests/unit/moss_host.c tests/unit/process_host.c tests/unit/cpu_host.c */
#include "tests/unit/cpu_host.h"
#include "tests/unit/moss_host.h"
#include "tests/unit/process_host.h"
#include "expect.h"
#include "guestos/include/elf.h"
#include "guestos/include/errno.h"
#include "guestos/include/exec_args.h"
#include "guestos/include/heap.h"
#include "guestos/include/random.h"
#include "guestos/include/string.h"

#define ENTRY   0x401000ul
#define PHDRS   0x400040ul
#define PML4    0x5000ul
#define RANDOM  0xa5
#define AUX_MAX 32

struct spinlock process_lock;
static struct vnode node = {.mode = S_IFREG | 0755};
static struct address_space new_space = {.pml4 = PML4};
static struct trapframe frame;
static struct exec_args args;
static jmp_buf ended;
static bool may_end;
static int ended_with;

/* ---- the kernel around it ---- */

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list list;

    va_start(list, fmt);
    int n = vsnprintf(to, size, fmt, list);
    va_end(list);
    return n;
}

void random_fill(void *to, size_t n)
{
    memset(to, RANDOM, n);
}

int path_lookup(struct vnode *start, const char *path, bool follow, struct vnode **out)
{
    (void)start, (void)path, (void)follow;
    *out = &node;
    return 0;
}

ssize_t path_of(struct vnode *directory, char *to, size_t size)
{
    (void)directory;
    return snprintf(to, size, "/");
}

ssize_t vnode_read(struct vnode *from, void *to, size_t n, uint64_t offset)
{
    (void)from, (void)to, (void)n, (void)offset;
    return 0; /* not a script */
}

void vnode_put(struct vnode *n)
{
    (void)n;
}

struct address_space *vm_create(void)
{
    return &new_space;
}

void vm_put(struct address_space *space)
{
    (void)space;
}

int vm_map(struct address_space *space, uint64_t start, uint64_t size, uint32_t prot, bool shared,
           struct vnode *vnode, uint64_t offset, uint64_t file_size)
{
    (void)space, (void)start, (void)size, (void)prot, (void)shared, (void)vnode, (void)offset,
        (void)file_size;
    return 0;
}

int elf_load(struct vnode *from, struct address_space *space, struct elf_program *program)
{
    (void)from, (void)space;
    *program = (struct elf_program){.entry = ENTRY, .phdrs = PHDRS, .phnum = 5};
    return 0;
}

void files_close_on_exec(struct open_files *files)
{
    (void)files;
}

void signal_reset_handlers(struct process *process)
{
    (void)process;
}

void vfork_release(struct process *process)
{
    (void)process;
}

void fpu_initial(void *state)
{
    (void)state;
}

void process_switch_in(struct thread *thread)
{
    (void)thread;
}

void process_exit(int wait_status)
{
    ended_with = wait_status;
    if (!may_end)
        fail_msg("the new program is ended (status %d): build_stack() gave 0, which means that it could not "
                 "write to the stack",
                 wait_status);
    longjmp(ended, 1);
}

/* ---- a new program ---- */

static int set_up(void **state)
{
    (void)state;
    process_host_begin();
    host_process.frame = &frame;
    frame = (struct trapframe){0};
    args = (struct exec_args){0};
    exec_args_add(&args, "/bin/prog"); /* its path comes first */
    args.argv_end = args.used;
    may_end = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    exec_args_free(&args);
    kfree(host_process.arguments);
    kfree(host_process.program);
    return 0;
}

static void argument(const char *text)
{
    exec_args_add(&args, text);
    args.argc++;
    args.argv_end = args.used;
}

static void variable(const char *text)
{
    exec_args_add(&args, text);
    args.envc++;
}

/* Start it. Returns its stack pointer. */
static uint64_t start(void)
{
    cpu_host_begin();
    expect_number((uint64_t)process_exec(&args), 0, "the program is started");
    expect_number(frame.rip, ENTRY, "it begins at its entry point");
    return frame.rsp;
}

static const char *text_at(uint64_t address)
{
    const char *text = user_at(address, 1);
    size_t left = USER_END - address;

    expect_true(memchr(text, 0, left) != NULL, "a string must end before the end of the stack");
    return text;
}

/* Where the auxiliary vector begins: behind the NULL behind the environment. */
static uint64_t auxv_of(uint64_t sp)
{
    uint64_t at = sp + 8 * (1 + user_word(sp) + 1);

    while (user_word(at))
        at += 8;
    return at + 8;
}

static uint64_t auxiliary(uint64_t sp, uint64_t type, bool *found)
{
    uint64_t at = auxv_of(sp);

    *found = true;
    for (unsigned n = 0; n < AUX_MAX; n++, at += 16) {
        if (user_word(at) == type)
            return user_word(at + 8);
        if (user_word(at) == 0)
            break;
    }
    *found = false;
    return 0;
}

static void expect_auxiliary(uint64_t sp, uint64_t type, uint64_t expected, const char *lesson)
{
    bool found;
    uint64_t value = auxiliary(sp, type, &found);

    if (!found)
        fail_msg("the auxiliary vector has no entry of type %lu\n%s", type, lesson);
    expect_number(value, expected, lesson);
}

static void the_arguments_are_found_from_the_stack_pointer(void **state)
{
    (void)state;
    argument("prog");
    argument("-l");
    argument("");
    argument("last");
    uint64_t sp = start();
    expect_number(user_word(sp), 4, "at the stack pointer lies argc (System V ABI §3.4.1)");
    expect_text(text_at(user_word(sp + 8)), "prog",
                "argv[0] follows. The first string in args->bytes is the path, which is no argument");
    expect_text(text_at(user_word(sp + 16)), "-l", "argv[1]: the address of the string on the new stack");
    expect_text(text_at(user_word(sp + 24)), "", "an empty argument is an argument");
    expect_text(text_at(user_word(sp + 32)), "last", "argv[3]");
}

static void argv_ends_with_null(void **state)
{
    (void)state;
    argument("prog");
    argument("x");
    variable("A=1");
    uint64_t sp = start();
    expect_number(user_word(sp + 8 * 3), 0, "argv[argc] is NULL: programs walk argv until they find it");
    expect_text(text_at(user_word(sp + 8 * 4)), "A=1", "the environment begins behind that NULL");
}

static void the_environment_follows(void **state)
{
    (void)state;
    argument("prog");
    variable("PATH=/bin");
    variable("EMPTY=");
    variable("HOME=/");
    uint64_t sp = start();
    expect_text(text_at(user_word(sp + 24)), "PATH=/bin", "envp[0]");
    expect_text(text_at(user_word(sp + 32)), "EMPTY=", "envp[1]");
    expect_text(text_at(user_word(sp + 40)), "HOME=/", "envp[2]");
    expect_number(user_word(sp + 48), 0, "envp ends with NULL, too");
    expect_true(user_word(sp + 56) != 0, "right behind it the auxiliary vector begins");
}

static void without_an_environment_there_is_its_null(void **state)
{
    (void)state;
    argument("prog");
    uint64_t sp = start();
    expect_number(user_word(sp + 16), 0, "argv[1] is NULL");
    expect_number(user_word(sp + 24), 0, "envp[0] is NULL: an empty environment has its own");
    expect_true(user_word(sp + 32) != 0, "the auxiliary vector follows at once");
    expect_auxiliary(sp, 9, ENTRY, "AT_ENTRY (9)");
}

static void the_stack_pointer_is_a_multiple_of_16(void **state)
{
    char text[20] = "";

    for (unsigned argc = 1; argc < 5; argc++) {
        for (unsigned envc = 0; envc < 4; envc++) {
            tear_down(state);
            set_up(state);
            for (unsigned i = 0; i < argc; i++)
                argument(memset(text, 'a', argc + i));
            for (unsigned i = 0; i < envc; i++)
                variable(text);
            uint64_t sp = start();
            expect_number(sp % 16, 0,
                          "whatever the number of arguments and variables (8 bytes each): the first "
                          "instruction finds RSP at a "
                          "multiple of 16 (System V ABI §3.4.1), and SSE code counts on it. Round down "
                          "before you write, and "
                          "write argc at the result");
            expect_number(user_word(sp), argc, "argc lies at the stack pointer itself, not above a gap");
        }
    }
}

static void the_auxiliary_vector_tells_of_the_program(void **state)
{
    bool found;

    (void)state;
    argument("prog");
    variable("A=1");
    uint64_t sp = start();
    expect_auxiliary(sp, 3, PHDRS,
                     "AT_PHDR (3): where the program headers are in memory; musl looks for its TLS there");
    expect_auxiliary(sp, 4, 56, "AT_PHENT (4): the size of one");
    expect_auxiliary(sp, 5, 5, "AT_PHNUM (5): how many");
    expect_auxiliary(sp, 6, 4096, "AT_PAGESZ (6)");
    expect_auxiliary(sp, 9, ENTRY, "AT_ENTRY (9)");
    expect_text(text_at(auxiliary(sp, 31, &found)), "/bin/prog", "AT_EXECFN (31): the path");
    uint64_t at = auxv_of(sp);
    for (unsigned n = 0; user_word(at); n++, at += 16)
        expect_true(n < AUX_MAX, "the vector ends with AT_NULL (0)");
}

static void there_are_sixteen_random_bytes(void **state)
{
    uint8_t expected[16];
    bool found;

    (void)state;
    argument("prog");
    uint64_t sp = start(), at = auxiliary(sp, 25, &found);
    memset(expected, RANDOM, sizeof expected);
    expect_true(
        found,
        "AT_RANDOM (25): the address of 16 random bytes, from which the C library makes its stack protector");
    expect_bytes(user_at(at, 16), expected, 16, "random_fill() makes them");
    for (uint64_t s = sp + 8; user_word(s); s += 8)
        expect_true(user_word(s) >= at + 16 || user_word(s) < at, "no string lies among them");
}

static void nothing_overlaps(void **state)
{
    char text[3000];
    (void)state;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    argument("prog");
    argument(text);
    variable(text);
    uint64_t sp = start();
    expect_text(text_at(user_word(sp + 16)), text, "a long argument arrives whole");
    expect_text(text_at(user_word(sp + 32)), text, "and a long variable");
    uint64_t end = auxv_of(sp);
    while (user_word(end))
        end += 16;
    for (uint64_t s = sp + 8; s < sp + 40; s += 8)
        expect_true(!user_word(s) || user_word(s) >= end + 16, "strings lie above the auxiliary vector");
}

/* A program with one long argument; the stack, which has 64 KiB here, is not large enough for all of them. */
static bool starts_with(size_t length)
{
    static char text[STACK_BYTES];

    memset(text, 'x', length);
    text[length] = 0;
    argument("prog");
    argument(text);
    may_end = true;
    if (setjmp(ended) != 0)
        return false;
    process_exec(&args);
    return true;
}

static void a_stack_that_cannot_be_written_ends_the_program(void **state)
{
    const uint64_t bottom = USER_END - STACK_BYTES;
    unsigned started = 0;

    cpu_host_begin();
    for (size_t left = 1000; left >= 8; left -= 8) {
        tear_down(state);
        set_up(state);
        bool starts = starts_with(STACK_BYTES - left);
        started += starts;
        expect_true(!starts || frame.rsp >= bottom, "a copy_to_user() said -EFAULT, for there is no memory "
                                                    "so far down: whichever copy it was, build_stack() "
                                                    "gives 0");
        expect_true(starts || ended_with == SIGKILL, "there is no old program to return to");
    }
    expect_true(started > 0, "with enough room it works");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_arguments_are_found_from_the_stack_pointer),
        TEST(argv_ends_with_null),
        TEST(the_environment_follows),
        TEST(without_an_environment_there_is_its_null),
        TEST(the_stack_pointer_is_a_multiple_of_16),
        TEST(the_auxiliary_vector_tells_of_the_program),
        TEST(there_are_sixteen_random_bytes),
        TEST(nothing_overlaps),
        TEST(a_stack_that_cannot_be_written_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
