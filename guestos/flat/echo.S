/* Lab 3's guest: 16-bit code at 0x7C00 that sends back in capitals what the first serial port receives, without
 * interrupts, until the other side sends a break (which is also how the end of the input looks). */
    .code16
    mov $0x3fa, %dx         /* FCR: FIFOs on and empty */
    mov $7, %al
    out %al, %dx
next:
    mov $0x3fd, %dx         /* LSR */
    in %dx, %al
    test $0x10, %al         /* a break: the end */
    jnz end
    test $1, %al            /* no byte yet: look again */
    jz next
    mov $0x3f8, %dx
    in %dx, %al             /* the byte */
    cmp $'a', %al
    jb send
    cmp $'z', %al
    ja send
    sub $('a' - 'A'), %al
send:
    out %al, %dx
    jmp next
end:
    hlt
