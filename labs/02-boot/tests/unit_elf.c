/* Lab 2: the loader against kernels that are broken or lie. Each must be refused with a message, none may do
 * harm. */
/* sources: hypervisor/boot/elf.c hypervisor/memory.c hypervisor/host.c */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "expect.h"
#include "boot/kernel.h"

#define RAM_SIZE   (2 * MiB)
#define LOAD_ADDR  0x100000
#define FILE_SIZE  0x400
#define NOTE_AT    0x200
#define CODE_AT    0x300
#define ENTRY_NOTE 18

/* A good kernel: a note segment, and a code segment of 0x80 bytes in the file, 0x100 in memory. */
struct image {
    union {
        struct {
            Elf64_Ehdr header;
            Elf64_Phdr note, code, more;
        };
        uint8_t bytes[FILE_SIZE];
    };
    size_t size;
};

static uint8_t ram[RAM_SIZE];
static struct vm *vm;

static Elf64_Nhdr *note_of(struct image *i)
{
    return (Elf64_Nhdr *)(i->bytes + NOTE_AT);
}

static struct image good_image(void)
{
    struct image i = {.size = FILE_SIZE};

    memcpy(i.header.e_ident, "\177ELF\2\1\1", 7);
    i.header.e_type = ET_EXEC;
    i.header.e_machine = EM_X86_64;
    i.header.e_version = 1;
    i.header.e_phoff = sizeof i.header;
    i.header.e_phentsize = sizeof i.note;
    i.header.e_phnum = 2;
    i.note = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 20, .p_memsz = 20};
    i.code = (Elf64_Phdr){.p_type = PT_LOAD,
                          .p_flags = PF_R | PF_X,
                          .p_offset = CODE_AT,
                          .p_paddr = LOAD_ADDR,
                          .p_filesz = 0x80,
                          .p_memsz = 0x100};
    *note_of(&i) = (Elf64_Nhdr){.n_namesz = 4, .n_descsz = 4, .n_type = ENTRY_NOTE};
    memcpy(i.bytes + NOTE_AT + 12, "Xen\0\0\0\x10\0", 8);
    memset(i.bytes + CODE_AT, 0x90, 0x80);
    memset(i.bytes + CODE_AT + 0x80, 0xcc, FILE_SIZE - CODE_AT - 0x80); /* not of the segment */
    return i;
}

/* All that a kernel goes through. Returns 0 or the first error. */
static int load(const struct image *i)
{
    int fd = memfd_create("kernel", 0), stderr_copy = dup(2), null = open("/dev/null", O_WRONLY);
    struct elf elf;
    uint64_t entry = 0;

    assert_int_equal(write(fd, i->bytes, i->size), i->size);
    dup2(null, 2); /* thousands of refusals */
    vm->reserved_count = 0;
    memset(ram, 0, sizeof ram);
    int err = memory_reserve(vm, 0x6000, 0x1000, "the start information");
    if (err == 0)
        err = elf_open(&elf, "kernel", fd, i->size);
    if (err == 0)
        err = elf_find_note(&elf, "Xen", ENTRY_NOTE, &entry, sizeof entry);
    if (err > 0 && err != 4 && err != 8)
        err = -ENOEXEC; /* as the loader does: an entry has 4 or 8 bytes */
    if (err > 0)
        err = elf_segment_at(&elf, entry) ? elf_load(&elf, vm) : -EFAULT;
    dup2(stderr_copy, 2);
    close(stderr_copy);
    close(null);
    close(fd);
    return err;
}

static int setup(void **state)
{
    (void)state;
    vm = calloc(1, sizeof *vm);
    vm->memory = RAM_SIZE;
    vm->ram[0] = (struct ram){.gpa = 0, .size = RAM_SIZE, .hva = ram};
    vm->ram_count = 1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(vm);
    return 0;
}

static void a_good_kernel_is_loaded(void **state)
{
    (void)state;
    struct image i = good_image();

    expect_number((uint64_t)load(&i), 0,
                  "a kernel without a fault must be loaded: headers, note and segment are good");
    expect_number(ram[LOAD_ADDR], 0x90, "the segment's bytes go to p_paddr, the physical address");
    expect_number(ram[LOAD_ADDR + 0x7f], 0x90, "all p_filesz bytes of it");
    expect_number(ram[LOAD_ADDR + 0x80], 0,
                  "from p_filesz to p_memsz is .bss: zero, whatever follows in the file");
}

static void a_second_segment_side_by_side_is_loaded(void **state)
{
    (void)state;
    struct image i = good_image();

    i.header.e_phnum = 3;
    i.more = i.code;
    i.more.p_paddr += 0x100;
    expect_number((uint64_t)load(&i), 0, "segments that touch do not overlap");
    expect_number(ram[LOAD_ADDR + 0x100], 0x90, "the second segment is loaded as the first is");
}

static void the_note_is_found_among_others(void **state)
{
    (void)state;
    struct image i = good_image();
    uint8_t *n = i.bytes + NOTE_AT;

    memmove(n + 20, n, 20);
    memcpy(n, "\4\0\0\0\3\0\0\0\1\0\0\0GNU\0abc\0", 20); /* a descriptor of 3 bytes is padded to 4 */
    i.note.p_filesz = 40;
    expect_number((uint64_t)load(&i), 0,
                  "the first note has a descriptor of 3 bytes, padded to 4 (\"Note Section\"); the PVH note "
                  "is the second");
}

/* Each line breaks one thing in the good image. */
#define BREAKS(X)                                                                                            \
    X("empty file", i->size = 0)                                                                             \
    X("one byte", i->size = 1)                                                                               \
    X("truncated header", i->size = sizeof i->header - 1)                                                    \
    X("truncated program headers", i->size = sizeof i->header + 10)                                          \
    X("truncated note segment", i->size = NOTE_AT + 10)                                                      \
    X("truncated code segment", i->size = CODE_AT + 0x7f)                                                    \
    X("wrong magic", i->header.e_ident[0] = 'M')                                                             \
    X("32-bit class", i->header.e_ident[EI_CLASS] = ELFCLASS32)                                              \
    X("big-endian", i->header.e_ident[EI_DATA] = ELFDATA2MSB)                                                \
    X("unknown ident version", i->header.e_ident[EI_VERSION] = 7)                                            \
    X("unknown version", i->header.e_version = 7)                                                            \
    X("machine i386", i->header.e_machine = EM_386)                                                          \
    X("machine ARM", i->header.e_machine = EM_AARCH64)                                                       \
    X("relocatable object", i->header.e_type = ET_REL)                                                       \
    X("shared object", i->header.e_type = ET_DYN)                                                            \
    X("core file", i->header.e_type = ET_CORE)                                                               \
    X("no program headers", i->header.e_phnum = 0)                                                           \
    X("huge phnum", i->header.e_phnum = 0xffff)                                                              \
    X("phnum one too many", i->header.e_phnum = ELF_SEGMENTS_MAX + 1)                                        \
    X("small phentsize", i->header.e_phentsize = 32)                                                         \
    X("zero phentsize", i->header.e_phentsize = 0)                                                           \
    X("phoff beyond the end", i->header.e_phoff = FILE_SIZE)                                                 \
    X("phoff wraps", i->header.e_phoff = ~0ull - 8)                                                          \
    X("phoff negative", i->header.e_phoff = 1ull << 63)                                                      \
    X("segment offset beyond the end", i->code.p_offset = FILE_SIZE + 1)                                     \
    X("segment offset wraps", i->code.p_offset = ~0ull)                                                      \
    X("offset plus size wraps", (i->code.p_offset = ~0ull - 0x10, i->code.p_filesz = 0x20))                  \
    X("filesz above memsz", i->code.p_memsz = 0x7f)                                                          \
    X("huge filesz", (i->code.p_filesz = ~0ull, i->code.p_memsz = ~0ull))                                    \
    X("huge memsz", i->code.p_memsz = ~0ull)                                                                 \
    X("address beyond the RAM", i->code.p_paddr = RAM_SIZE)                                                  \
    X("end beyond the RAM", i->code.p_paddr = RAM_SIZE - 0xff)                                               \
    X("address wraps", i->code.p_paddr = ~0ull - 0x10)                                                       \
    X("address at the very top", i->code.p_paddr = 0ull - 0x100)                                             \
    X("address in the hole", i->code.p_paddr = RAM_LOW_END)                                                  \
    X("over the start information", (i->code.p_paddr = 0x6f80, entry_to(i, 0x6f80)))                         \
    X("around the start information",                                                                        \
      (i->code.p_paddr = 0x5000, i->code.p_memsz = 0x8000, entry_to(i, 0x5000)))                             \
    X("segments overlap", (i->header.e_phnum = 3, i->more = i->code, i->more.p_paddr += 0xff))               \
    X("segments identical", (i->header.e_phnum = 3, i->more = i->code))                                      \
    X("no note segment", i->note.p_type = PT_NULL)                                                           \
    X("no loadable segment", i->code.p_type = PT_NULL)                                                       \
    X("empty note segment", i->note.p_filesz = 0)                                                            \
    X("note of another owner", i->bytes[NOTE_AT + 12] = 'Y')                                                 \
    X("note of another type", note_of(i)->n_type = 17)                                                       \
    X("note name overruns", note_of(i)->n_namesz = 1000)                                                     \
    X("note name wraps", note_of(i)->n_namesz = 0xffffffff)                                                  \
    X("note descriptor overruns", note_of(i)->n_descsz = 5)                                                  \
    X("note descriptor wraps", note_of(i)->n_descsz = 0xffffffff)                                            \
    X("both note sizes wrap", (note_of(i)->n_namesz = 0xfffffffd, note_of(i)->n_descsz = 0xfffffffd))        \
    X("note descriptor of 16 bytes", (i->note.p_filesz = 32, note_of(i)->n_descsz = 16))                     \
    X("note segment of gigabytes", i->note.p_filesz = 1ull << 40)                                            \
    X("entry before the segment", entry_to(i, LOAD_ADDR - 1))                                                \
    X("entry after the segment", entry_to(i, LOAD_ADDR + 0x100))                                             \
    X("entry zero", entry_to(i, 0))

static int entry_to(struct image *i, uint32_t entry)
{
    memcpy(i->bytes + NOTE_AT + 16, &entry, 4);
    return 0;
}

#define BREAK_FUNCTION(what, change)                                                                         \
    {                                                                                                        \
        struct image good = good_image(), *i = &good;                                                        \
        change;                                                                                              \
        if (load(i) >= 0)                                                                                    \
            fail_msg("a kernel with a fault was loaded: %s\nthe change: %s\nRefuse it with complain() and "  \
                     "-ENOEXEC; compare without adding, since sums of such numbers wrap.",                   \
                     what, #change);                                                                         \
        count++;                                                                                             \
    }

static void malformed_kernels_are_refused(void **state)
{
    (void)state;
    int count = 0;
    struct image whole = good_image();

    expect_number((uint64_t)load(&whole), 0, "before the faults: a good kernel is loaded");
    BREAKS(BREAK_FUNCTION)
    assert_true(count >= 30);
}

static void random_damage_does_no_harm(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        struct image i = good_image();
        for (int n = rand() % 8; n >= 0; n--)
            i.bytes[(size_t)rand() % (NOTE_AT + 20)] = (uint8_t)rand();
        load(&i); /* the sanitizers watch */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_kernel_is_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_segment_side_by_side_is_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(the_note_is_found_among_others, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed_kernels_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(random_damage_does_no_harm, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
