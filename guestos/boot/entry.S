/* The first instructions of Moss: from the 32-bit PVH entry to 64-bit C code in the higher half. */
#include "layout.h"

#define CR0_PE 0x1
#define CR0_MP 0x2
#define CR0_NE 0x20 /* x87 errors come as exceptions */
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define MSR_EFER 0xc0000080
#define EFER_SCE_LME 0x101
#define EFER_NXE_BIT 11
#define PTE_PW 0x3        /* present, writable */
#define PTE_PW_LARGE 0x83 /* present, writable, 2 MiB */

#define PHYS(symbol) ((symbol) - KERNEL_BASE)

/* The note by which a loader finds the entry point (Xen PVH ABI: XEN_ELFNOTE_PHYS32_ENTRY is 18). */
    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18
    .asciz "Xen"
    .long PHYS(pvh_entry)

/*
 * PVH starts us in 32-bit protected mode with flat segments, paging off and EBX = physical address of hvm_start_info.
 */
    .section .text.entry, "ax"
    .code32
    .global pvh_entry
pvh_entry:
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %ebx, %esi

    /* The four page directories map the first 4 GiB in pages of 2 MiB. */
    movl $PHYS(boot_pd), %edi
    movl $PTE_PW_LARGE, %eax
    xorl %edx, %edx
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl %edx, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3

    /* In the order of Intel SDM 3A §9.8.5: PAE and CR3, then long mode, then paging. NX, where the CPU has it, must be on before a page table with that bit is used. */
    movl $0x80000001, %eax
    cpuid
    movl %edx, %ebx
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_SCE_LME, %eax
    btl $20, %ebx
    jnc 2f
    btsl $EFER_NXE_BIT, %eax
2:  wrmsr

    movl $(CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG), %eax
    movl %eax, %cr0
    lgdt PHYS(boot_gdtr)
    ljmp $BOOT_CS, $PHYS(long_mode)

    .code64
long_mode:
    movabsq $higher_half, %rax
    jmp *%rax
higher_half:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp
    movl %esi, %edi
    call kmain
3:  cli
    hlt
    jmp 3b

    .section .rodata
    .align 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* BOOT_CS: 64-bit code, ring 0 */
boot_gdtr:
    .word boot_gdtr - boot_gdt - 1
    .long PHYS(boot_gdt)

/*
 * Three views of the same 4 GiB: one to one (we stand there while paging is switched on), the direct map, and the
 * kernel's own address. mm/paging.c replaces them by tables with W^X.
 */
    .section .data
    .align 4096
    .global boot_pml4
boot_pml4:
    .quad PHYS(boot_pdpt_low) + PTE_PW
    .fill 255, 8, 0
    .quad PHYS(boot_pdpt_low) + PTE_PW /* DIRECT_BASE */
    .fill 254, 8, 0
    .quad PHYS(boot_pdpt_high) + PTE_PW
boot_pdpt_low:
    .quad PHYS(boot_pd) + PTE_PW
    .quad PHYS(boot_pd) + 0x1000 + PTE_PW
    .quad PHYS(boot_pd) + 0x2000 + PTE_PW
    .quad PHYS(boot_pd) + 0x3000 + PTE_PW
    .fill 508, 8, 0
boot_pdpt_high:
    .fill 510, 8, 0
    .quad PHYS(boot_pd) + PTE_PW /* KERNEL_BASE */
    .quad 0

    .section .bss
    .align 4096
boot_pd:
    .skip 4 * 4096
    .global boot_stack_guard, boot_stack_top
boot_stack_guard: /* unmapped by mm/paging.c: an overflow faults instead of overwriting the tables above */
    .skip 4096
    .skip 16384
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
