/* For assembly: the general registers to and from struct trapframe (trap.h), rax highest. */
#ifndef REGISTERS_H
#define REGISTERS_H

    .macro push_registers
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

#endif
