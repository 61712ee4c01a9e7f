/* A guest of a few bytes: real mode, no stack, no memory of its own. It prints a line through port 0xE9 and halts. */
    .code16
    .text
    .global _start
_start:
    call 1f                 /* where are we? The address of the text is on the stack now */
    .ascii "Hello from a virtual machine.\n"
text_end:
1:  pop %si
    mov $(text_end - _start - 3), %cx
    mov $0xe9, %dx
    cld
    rep outsb %cs:(%si), (%dx)
    hlt
