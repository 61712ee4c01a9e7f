/* The way into the kernel and out of it: 256 vectors, one common path. */
#include "layout.h"
#include "registers.inc"

    .text
/* Each vector pushes an error code, if the CPU does not, and its number. 16 bytes apart, so that C can compute the address. */
    .align 16
    .global trap_vectors
trap_vectors:
    vector = 0
    .rept 256
    .align 16
    .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
    push $0
    .endif
    push $vector
    jmp trap_common
    vector = vector + 1
    .endr

trap_common:
    cld
    testb $3, 24(%rsp) /* CS: from a program? Then GS is the program's */
    jz 1f
    swapgs
1:  push_registers
    mov %rsp, %rdi
    mov 15*8+16(%rsp), %rax /* the backtrace continues in what was interrupted ... */
    xor %ebp, %ebp
    testb $3, 15*8+24(%rsp)
    jnz 2f
    mov 8*8(%rsp), %rbp     /* ... if that was the kernel */
    inc %rax                /* a backtrace takes one off: a return address lies behind its call */
    push %rax
    push %rbp
    mov %rsp, %rbp
    sub $8, %rsp            /* 22 words of frame and these 2: the stack must be 16-byte aligned at the call */
    and $-16, %rsp
    mov %rdi, %rbx
    call trap_dispatch
    mov %rbx, %rdi
    jmp trap_return
2:  mov %rdi, %rbx
    and $-16, %rsp
    call trap_dispatch
    mov %rbx, %rdi

/* void trap_return(struct trapframe *rdi): also how a new process starts. Interrupts are off. */
    .global trap_return
trap_return:
    cli
    mov %rdi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    add $16, %rsp
    testb $3, 8(%rsp)
    jz 1f
    swapgs
1:  iretq

    .section .note.GNU-stack, "", @progbits
