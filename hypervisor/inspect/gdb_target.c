/* The registers of an x86-64 CPU in gdb's words: names, sizes, types, order, and where each lies. */
#include <cpuid.h>
#include "gdb.h"

/* Offsets in the XSAVE area (Intel SDM 1 §13.4): the legacy region is that of FXSAVE. */
#define XSAVE(at)  (offsetof(struct gdb_registers, xsave) + (at))
#define XSAVE_ST0  32
#define XSAVE_XMM0 160
#define XSAVE_YMMH 576

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
#define X87(name, at, size)                                                                                  \
    {                                                                                                        \
        CORE, name, "int", 1, 0, 32, XSAVE(at), size, 0                                                      \
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
    {CORE, "st%u", "i387_ext", 8, 0, 80, XSAVE(XSAVE_ST0), 10, 16},
    X87("fctrl", 0, 2),
    X87("fstat", 2, 2),
    ONE(CORE, "ftag", "int", 32, x87_tags),
    X87("fiseg", 12, 2),
    X87("fioff", 8, 4),
    X87("foseg", 20, 2),
    X87("fooff", 16, 4),
    X87("fop", 6, 2),
    {"org.gnu.gdb.i386.sse", "xmm%u", "vec128", 16, 0, 128, XSAVE(XSAVE_XMM0), 16, 16},
    {"org.gnu.gdb.i386.sse", "mxcsr", "int", 1, 0, 32, XSAVE(24), 4, 0},
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
    {SYSTEM, "dr%u", "int64", 4, 0, 64, AT(debug.db), 8, 8},
    ONE(SYSTEM, "dr6", "int64", 64, debug.dr6),
    ONE(SYSTEM, "dr7", "int64", 64, debug.dr7),
    ONE(SYSTEM, "k_gs_base", "int64", 64, msrs[0]),
    ONE(SYSTEM, "star", "int64", 64, msrs[1]),
    ONE(SYSTEM, "lstar", "int64", 64, msrs[2]),
    ONE(SYSTEM, "sfmask", "int64", 64, msrs[3]),
    ONE(SYSTEM, "tsc", "int64", 64, msrs[4]),
    {"org.gnu.gdb.i386.avx", "ymm%uh", "uint128", 16, 0, 128, XSAVE(XSAVE_YMMH), 16, 16}, /* the last */
};

/* CPUID leaf 13: which parts of the XSAVE area there are; bit 2 is AVX. */
static bool has_avx(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid_count(13, 0, &eax, &ebx, &ecx, &edx) && eax & 4;
}

bool gdb_register(unsigned n, struct gdb_register *reg)
{
    const struct group *g = groups, *end = groups + COUNT(groups) - !has_avx();

    for (; g < end && n >= g->count; g++)
        n -= g->count;
    if (g == end)
        return false;
    *reg = (struct gdb_register){.type = g->type,
                                 .feature = g->feature,
                                 .bits = g->bits,
                                 .offset = (uint16_t)(g->at + n * g->stride),
                                 .size = (uint16_t)(g->size < g->bits / 8 ? g->size : g->bits / 8)};
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
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
static void types_print(FILE *out)
{
    static const struct {
        const char *name;
        unsigned bit;
    } flags[] = {{"CF", 0},  {"PF", 2},  {"AF", 4},  {"ZF", 6},  {"SF", 7},  {"TF", 8},  {"IF", 9},
                 {"DF", 10}, {"OF", 11}, {"NT", 14}, {"RF", 16}, {"VM", 17}, {"AC", 18}, {"ID", 21}};

    fputs("<flags id=\"eflags\" size=\"4\">", out);
    for (size_t i = 0; i < COUNT(flags); i++)
        fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", flags[i].name, flags[i].bit,
                flags[i].bit);
    fputs("</flags>", out);
}

static void vectors_print(FILE *out)
{
    fputs(
        "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" "
        "count=\"2\"/>"
        "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
        "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
        "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
        "<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
        "<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
        "<field name=\"uint128\" type=\"uint128\"/></union>",
        out);
}

void target_print(FILE *out)
{
    const char *feature = NULL;
    struct gdb_register reg;

    fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
          "<architecture>i386:x86-64</architecture>",
          out);
    for (unsigned n = 0; gdb_register(n, &reg); n++) {
        if (reg.feature != feature) { /* the same text is the same pointer: it comes from the same macro */
            fprintf(out, "%s<feature name=\"%s\">", feature ? "</feature>" : "", reg.feature);
            feature = reg.feature;
            types_print(out);
            vectors_print(out);
        }
        fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", reg.name, reg.bits, reg.type);
    }
    fputs("</feature></target>", out);
}
