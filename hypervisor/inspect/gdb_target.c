/* The registers of an x86-64 CPU in gdb's words: names, sizes, types, order, and where each lies. */
#include "gdb.h"

#define AT(member)   offsetof(struct gdb_registers, member)
#define SIZE(member) sizeof(((struct gdb_registers *)0)->member)

/* `count` registers of one kind in a row; %u in the name is their number. */
static const struct group {
    const char *feature, *name, *type;
    unsigned count, first, bits;
    size_t at, size, stride;
} groups[] = {
#define CORE   "org.gnu.gdb.i386.core"
#define SYSTEM "terrarium.system"
#define ONE(feature, name, type, bits, member)                                                               \
    {                                                                                                        \
        feature, name, type, 1, 0, bits, AT(member), SIZE(member), 0                                         \
    }
#define X87(name, member) ONE(CORE, name, "int", 32, member)
#define ROW(feature, name, type, count, first, bits, array)                                                  \
    {                                                                                                        \
        feature, name, type, count, first, bits, AT(array), SIZE(array[0]), SIZE(array[0])                   \
    }
    ONE(CORE, "rax", "int64", 64, regs.rax),
    ONE(CORE, "rbx", "int64", 64, regs.rbx),
    ONE(CORE, "rcx", "int64", 64, regs.rcx),
    ONE(CORE, "rdx", "int64", 64, regs.rdx),
    ONE(CORE, "rsi", "int64", 64, regs.rsi),
    ONE(CORE, "rdi", "int64", 64, regs.rdi),
    ONE(CORE, "rbp", "data_ptr", 64, regs.rbp),
    ONE(CORE, "rsp", "data_ptr", 64, regs.rsp),
    {CORE, "r%u", "int64", 8, 8, 64, AT(regs.r8), 8, 8},
    ONE(CORE, "rip", "code_ptr", 64, regs.rip),
    ONE(CORE, "eflags", "eflags", 32, regs.rflags),
    ONE(CORE, "cs", "int32", 32, sregs.cs.selector),
    ONE(CORE, "ss", "int32", 32, sregs.ss.selector),
    ONE(CORE, "ds", "int32", 32, sregs.ds.selector),
    ONE(CORE, "es", "int32", 32, sregs.es.selector),
    ONE(CORE, "fs", "int32", 32, sregs.fs.selector),
    ONE(CORE, "gs", "int32", 32, sregs.gs.selector),
    ROW(CORE, "st%u", "i387_ext", 8, 0, 80, fpu.st),
    X87("fctrl", fpu.fcw),
    X87("fstat", fpu.fsw),
    X87("ftag", x87_tags),
    {CORE, "fiseg", "int", 1, 0, 32, AT(fpu.fip) + 4, 2, 0}, /* as FXSAVE without REX.W has it */
    X87("fioff", fpu.fip),
    {CORE, "foseg", "int", 1, 0, 32, AT(fpu.fdp) + 4, 2, 0},
    X87("fooff", fpu.fdp),
    X87("fop", fpu.fop),
    ROW("org.gnu.gdb.i386.sse", "xmm%u", "vec128", 16, 0, 128, fpu.xmm),
    ONE("org.gnu.gdb.i386.sse", "mxcsr", "int", 32, fpu.mxcsr),
    ONE("org.gnu.gdb.i386.segments", "fs_base", "int64", 64, sregs.fs.base),
    ONE("org.gnu.gdb.i386.segments", "gs_base", "int64", 64, sregs.gs.base),
    ONE(SYSTEM, "cr0", "int64", 64, sregs.cr0),
    ONE(SYSTEM, "cr2", "int64", 64, sregs.cr2),
    ONE(SYSTEM, "cr3", "int64", 64, sregs.cr3),
    ONE(SYSTEM, "cr4", "int64", 64, sregs.cr4),
    ONE(SYSTEM, "cr8", "int64", 64, sregs.cr8),
    ONE(SYSTEM, "efer", "int64", 64, sregs.efer),
    ONE(SYSTEM, "apic_base", "int64", 64, sregs.apic_base),
    ONE(SYSTEM, "gdt_base", "int64", 64, sregs.gdt.base),
    ONE(SYSTEM, "gdt_limit", "int32", 32, sregs.gdt.limit),
    ONE(SYSTEM, "idt_base", "int64", 64, sregs.idt.base),
    ONE(SYSTEM, "idt_limit", "int32", 32, sregs.idt.limit),
    ONE(SYSTEM, "tr", "int32", 32, sregs.tr.selector),
    ONE(SYSTEM, "tr_base", "int64", 64, sregs.tr.base),
    ONE(SYSTEM, "ldt", "int32", 32, sregs.ldt.selector),
    ROW(SYSTEM, "dr%u", "int64", 4, 0, 64, debug.db),
    ONE(SYSTEM, "dr6", "int64", 64, debug.dr6),
    ONE(SYSTEM, "dr7", "int64", 64, debug.dr7),
    ONE(SYSTEM, "k_gs_base", "int64", 64, msrs[GDB_KERNEL_GS_BASE]),
    ONE(SYSTEM, "star", "int64", 64, msrs[GDB_STAR]),
    ONE(SYSTEM, "lstar", "int64", 64, msrs[GDB_LSTAR]),
    ONE(SYSTEM, "sfmask", "int64", 64, msrs[GDB_SFMASK]),
    ONE(SYSTEM, "tsc", "int64", 64, msrs[GDB_TSC]),
};

bool gdb_register(unsigned n, struct gdb_register *reg)
{
    const struct group *g = groups;

    for (; g < groups + COUNT(groups) && n >= g->count; g++)
        n -= g->count;
    if (g == groups + COUNT(groups))
        return false;
    *reg = (struct gdb_register){.type = g->type,
                                 .feature = g->feature,
                                 .bits = g->bits,
                                 .offset = (uint16_t)(g->at + n * g->stride),
                                 .size = (uint16_t)(g->size < g->bits / 8 ? g->size : g->bits / 8)};
    snprintf(reg->name, sizeof reg->name, g->name, g->first + n);
    return true;
}

void register_get(const struct gdb_registers *r, const struct gdb_register *reg, uint8_t *value)
{
    memset(value, 0, reg->bits / 8);
    memcpy(value, (const uint8_t *)r + reg->offset, reg->size);
}

void register_set(struct gdb_registers *r, const struct gdb_register *reg, const uint8_t *value)
{
    memcpy((uint8_t *)r + reg->offset, value, reg->size);
}

/* The types that gdb does not know by itself: the flags of EFLAGS, and the ways to look at an XMM register.
 */
static const char types[] = "<flags id='eflags' size='4'>"
                            "<field name='CF' start='0' end='0'/><field name='PF' start='2' end='2'/>"
                            "<field name='AF' start='4' end='4'/><field name='ZF' start='6' end='6'/>"
                            "<field name='SF' start='7' end='7'/><field name='TF' start='8' end='8'/>"
                            "<field name='IF' start='9' end='9'/><field name='DF' start='10' end='10'/>"
                            "<field name='OF' start='11' end='11'/><field name='NT' start='14' end='14'/>"
                            "<field name='RF' start='16' end='16'/><field name='VM' start='17' end='17'/>"
                            "<field name='AC' start='18' end='18'/><field name='ID' start='21' end='21'/>"
                            "</flags>"
                            "<vector id='v4f' type='ieee_single' count='4'/>"
                            "<vector id='v2d' type='ieee_double' count='2'/>"
                            "<vector id='v16i8' type='int8' count='16'/>"
                            "<vector id='v4i32' type='int32' count='4'/>"
                            "<vector id='v2i64' type='int64' count='2'/>"
                            "<union id='vec128'>"
                            "<field name='v4_float' type='v4f'/><field name='v2_double' type='v2d'/>"
                            "<field name='v16_int8' type='v16i8'/><field name='v4_int32' type='v4i32'/>"
                            "<field name='v2_int64' type='v2i64'/><field name='uint128' type='uint128'/>"
                            "</union>";

void target_print(FILE *out)
{
    const char *feature = NULL;
    struct gdb_register reg;

    fputs("<?xml version='1.0'?><!DOCTYPE target SYSTEM 'gdb-target.dtd'><target version='1.0'>"
          "<architecture>i386:x86-64</architecture>",
          out);
    for (unsigned n = 0; gdb_register(n, &reg); n++) {
        if (reg.feature != feature) { /* the same text is the same pointer: it comes from the same macro */
            fprintf(out, "%s<feature name='%s'>", feature ? "</feature>" : "", reg.feature);
            feature = reg.feature;
            fputs(types, out);
        }
        fprintf(out, "<reg name='%s' bitsize='%u' type='%s'/>", reg.name, reg.bits, reg.type);
    }
    fputs("</feature></target>", out);
}
