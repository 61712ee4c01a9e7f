/* Bits and numbers of the architecture that it takes to look into a guest. */
#ifndef X86_H
#define X86_H

/* Control registers and EFER (Intel SDM 3A §2.5, §2.2.1). */
#define CR0_PE   1ul
#define CR0_WP   (1ul << 16)
#define CR0_PG   (1ul << 31)
#define CR4_PSE  (1ul << 4)
#define CR4_PAE  (1ul << 5)
#define CR4_LA57 (1ul << 12)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)
#define EFER_SCE 1ul
#define EFER_LME (1ul << 8)
#define EFER_LMA (1ul << 10)
#define EFER_NXE (1ul << 11)

/* RFLAGS (§2.3). */
#define RFLAGS_TF (1ul << 8)
#define RFLAGS_IF (1ul << 9)
#define RFLAGS_RF (1ul << 16)
#define RFLAGS_AC (1ul << 18)

/* Entries of page tables (§4.5). */
#define PTE_P    1ul
#define PTE_W    2ul
#define PTE_U    4ul
#define PTE_PS   (1ul << 7)
#define PTE_NX   (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

/* Model-specific registers (Intel SDM 4 §2.1). */
#define MSR_TSC            0x10u
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_SFMASK         0xc0000084u
#define MSR_KERNEL_GS_BASE 0xc0000102u

/* Vectors of exceptions (Intel SDM 3A §6.3.1). */
#define BP_VECTOR 3 /* INT3 */
#define DF_VECTOR 8
#define PF_VECTOR 14
#define MC_VECTOR 18

#endif
