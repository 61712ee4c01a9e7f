/* Where SYSCALL leads: the program's registers become a trapframe, as in a trap (AMD APM 2 §6.1.1). */
#include "layout.h"
#include "registers.inc"

#define CPU_KERNEL_RSP 8  /* struct cpu */
#define CPU_USER_RSP   16
#define SYSCALL_VECTOR 0x100

    .text
    .global syscall_entry
syscall_entry:
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    mov %gs:CPU_KERNEL_RSP, %rsp
    push $USER_DS
    push %gs:CPU_USER_RSP
    push %r11 /* SYSCALL put the flags here ... */
    push $USER_CS
    push %rcx /* ... and the address of the next instruction here */
    push %rax
    push $SYSCALL_VECTOR
    push_registers
    xor %ebp, %ebp
    mov %rsp, %rdi
    call syscall_dispatch
    test %al, %al
    mov %rsp, %rdi
    jz trap_return /* IRET can go everywhere */

    /* SYSRET is faster, but on some CPUs it faults in the kernel if RCX is not canonical: syscall_dispatch has looked. */
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    add $8, %rsp
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    add $8, %rsp
    pop %rbx
    pop %rax
    add $16, %rsp
    pop %rcx
    add $8, %rsp
    pop %r11
    pop %rsp
    swapgs
    sysretq

    .section .note.GNU-stack, "", @progbits
