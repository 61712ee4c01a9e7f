/*
 * Write the first stack of a program, downwards from USER_END. At the top the strings, args->used bytes of
 * them, and RANDOM_BYTES from random_fill(). Below, as 64-bit words from the stack pointer upwards: argc; the
 * addresses of the argv strings; 0; those of the environment; 0; pairs of the auxiliary vector, AT_NULL last.
 * The first string in args->bytes is the path; argv and envp follow. The stack pointer is a multiple of 16.
 * The vector has AT_PHDR, AT_PHENT (56), AT_PHNUM, AT_PAGESZ, AT_BASE (0), AT_FLAGS (0), AT_ENTRY, AT_UID,
 * AT_EUID, AT_GID, AT_EGID (0 each), AT_CLKTCK (100), AT_SECURE (0), AT_RANDOM (an address), AT_EXECFN (the
 * path's address). All is written by copy_to_user(). Returns the stack pointer, or 0 if a copy failed. System
 * V ABI §3.4.1, §3.4.3. Handout, section 4.7.
 */
static uint64_t build_stack(const struct exec_args *args, const struct elf_program *program)
{
    (void)args, (void)program;
    lab_todo(6, "build_stack", "handout section 4.7");
    return 0;
}
