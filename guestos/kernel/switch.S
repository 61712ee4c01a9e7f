/* Changing from one kernel stack to another: all that a thread switch is. */
    .text

/*
 * void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp): to the caller an ordinary call that takes a while. Only the registers
 * that a called function must keep need saving.
 */
    .global switch_stacks
switch_stacks:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

/* The first "return" of a new thread leads here; thread_create put fn into r12 and arg into r13. */
    .global thread_begin
thread_begin:
    call finish_switch
    sti
    mov %r13, %rdi
    call *%r12
    call thread_exit

    .section .note.GNU-stack, "", @progbits
