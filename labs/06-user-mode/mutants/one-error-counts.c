/* In: guestos/proc/exec.c. Caught by: unit_exec.a_stack_that_cannot_be_written_ends_the_program. Mistake:
 * only the last copy's error counts. */
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
    error = copy_to_user(at, auxv, sizeof(auxv));
    return error ? 0 : sp;
}
