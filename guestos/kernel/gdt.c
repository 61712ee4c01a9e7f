/* The descriptor table and task state segment of each CPU (Intel SDM 3A §3.4.5, §7.7). */
#include "cpu.h"
#include "gdt.h"
#include "init.h"
#include "layout.h"

#define KERNEL_CODE 0x00af9b000000ffff
#define KERNEL_DATA 0x00cf93000000ffff
#define USER_DATA   0x00cff3000000ffff
#define USER_CODE   0x00affb000000ffff
#define TSS_BUSY_OK 0x89 /* present, available 64-bit TSS */

#define FAULT_STACK_SIZE 4096

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map; /* beyond the limit: programs may use no port */
} __attribute__((packed));

static struct {
    uint64_t gdt[7];
    struct tss tss;
    char fault_stack[FAULT_STACK_SIZE] __attribute__((aligned(16)));
} tables[MAX_CPUS];

static void fill_tables(uint64_t *gdt, struct tss *tss, char *fault_stack)
{
    uint64_t base = (uint64_t)tss, limit = sizeof(*tss) - 1;

    tss->io_map = sizeof(*tss);
    tss->ist[0] = (uint64_t)fault_stack + FAULT_STACK_SIZE;
    gdt[KERNEL_CS / 8] = KERNEL_CODE;
    gdt[KERNEL_DS / 8] = KERNEL_DATA;
    gdt[USER_DS / 8] = USER_DATA;
    gdt[USER_CS / 8] = USER_CODE;
    gdt[TSS_SEL / 8] =
        limit | (base & 0xffffff) << 16 | (uint64_t)TSS_BUSY_OK << 40 | (base >> 24 & 0xff) << 56;
    gdt[TSS_SEL / 8 + 1] = base >> 32;
}

void gdt_load(void)
{
    unsigned id = this_cpu()->id;
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdtr = {sizeof(tables[id].gdt) - 1, (uint64_t)tables[id].gdt};

    fill_tables(tables[id].gdt, &tables[id].tss, tables[id].fault_stack);
    __asm__ volatile("lgdt %0" : : "m"(gdtr));
    __asm__ volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
                     :
                     : "i"(KERNEL_CS)
                     : "rax", "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" : : "r"(KERNEL_DS));
    __asm__ volatile("ltr %w0" : : "r"(TSS_SEL));
}

void gdt_set_kernel_stack(uint64_t top)
{
    struct cpu *cpu = this_cpu();

    cpu->kernel_rsp = top;
    tables[cpu->id].tss.rsp[0] = top;
}

INIT(INIT_TRAPS, gdt_load);
