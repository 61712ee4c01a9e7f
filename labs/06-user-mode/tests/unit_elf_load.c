/* Loading a program: which areas the segments of an ELF file become, and which files are refused. */
/* sources: guestos/proc/elf.c tests/unit/moss_host.c */
#include <elf.h>
#include "tests/unit/moss_host.h"
#define timespec moss_timespec /* the host has declared its own */
#define timeval  moss_timeval
#include "expect.h"
#include "guestos/include/elf.h"
#include "guestos/include/errno.h"
#include "guestos/include/heap.h"
#include "guestos/include/layout.h"

#define FILE_BYTES 0x5000
#define SEGMENTS   4
#define CODE       0x400000ul
#define DATA       0x402000ul
#define BIAS       0x555555554000ul

static struct {
    Elf64_Ehdr header;
    Elf64_Phdr segment[SEGMENTS];
} image;

static struct mapped {
    uint64_t start, size, offset, file_size;
    uint32_t prot;
    bool shared;
    struct vnode *vnode;
} mapped[SEGMENTS];
static unsigned mapped_count;
static int map_says;
static bool something_is_there;
static uint64_t asked_start, asked_size;

static struct vnode node;
static struct address_space vm;
static struct area an_area;

ssize_t vnode_read(struct vnode *from, void *to, size_t n, uint64_t offset)
{
    assert_ptr_equal(from, &node);
    assert_true(offset + n <= sizeof image);
    memcpy(to, (char *)&image + offset, n);
    return (ssize_t)n;
}

void *kmalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

bool vm_overlaps(struct address_space *space, uint64_t start, uint64_t size)
{
    (void)space;
    asked_start = start;
    asked_size = size;
    return something_is_there;
}

int vm_map(struct address_space *space, uint64_t start, uint64_t size, uint32_t prot, bool shared,
           struct vnode *vnode, uint64_t offset, uint64_t file_size)
{
    if (map_says)
        return map_says;
    assert_true(mapped_count < SEGMENTS);
    mapped[mapped_count++] = (struct mapped){start, size, offset, file_size, prot, shared, vnode};
    space->areas = &an_area;
    return 0;
}

static Elf64_Phdr load(uint32_t flags, uint64_t vaddr, uint64_t offset, uint64_t filesz, uint64_t memsz)
{
    return (Elf64_Phdr){PT_LOAD, flags, offset, vaddr, vaddr, filesz, memsz, PAGE_SIZE};
}

/* A program of code, constants and data with bss, as a linker makes it. */
static int set_up(void **state)
{
    (void)state;
    memset(&image, 0, sizeof image);
    memset(&vm, 0, sizeof vm);
    image.header =
        (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_entry = CODE + 0x100,
                     .e_phoff = sizeof image.header,
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = SEGMENTS};
    image.segment[0] = load(PF_R | PF_X, CODE, 0, 0x1234, 0x1234);
    image.segment[1] = load(PF_R | PF_W, DATA + 0x678, 0x2678, 0x321, 0x3000);
    node.size = FILE_BYTES;
    mapped_count = 0;
    map_says = 0;
    something_is_there = false;
    return 0;
}

static int load_program(void)
{
    struct elf_program program;

    return elf_load(&node, &vm, &program);
}

static void loads(void)
{
    expect_number((uint64_t)load_program(), 0, "elf_load() must accept this program");
}

static void refused(const char *lesson)
{
    mapped_count = 0;
    vm = (struct address_space){0};
    expect_number((uint64_t)load_program(), (uint64_t)-ENOEXEC, lesson);
    expect_number(mapped_count, 0, "what is refused is not mapped, not even for a moment");
}

static void a_segment_becomes_an_area(void **state)
{
    (void)state;
    loads();
    expect_number(mapped_count, 2, "one vm_map() for each PT_LOAD segment");
    expect_number(mapped[0].start, CODE, "the area begins at p_vaddr");
    expect_number(mapped[0].size, 0x2000, "p_memsz is 0x1234 bytes: two pages, rounded up");
    expect_number(mapped[0].offset, 0, "the first byte comes from p_offset in the file");
    expect_true(mapped[0].vnode == &node, "the pages are filled from this file");
    expect_true(!mapped[0].shared, "every process has its own copy: not shared");
}

static void a_segment_need_not_begin_at_a_page(void **state)
{
    (void)state;
    loads();
    expect_number(mapped[1].start, DATA,
                  "p_vaddr is DATA + 0x678: the area begins at the page that holds it");
    expect_number(
        mapped[1].offset, 0x2000,
        "the page begins 0x678 bytes before the segment, in the file as in memory: p_offset - 0x678");
    expect_number(mapped[1].size, 0x4000, "0x678 + 0x3000 bytes end in the fourth page");
}

static void behind_the_files_bytes_is_bss(void **state)
{
    (void)state;
    loads();
    expect_number(
        mapped[1].file_size, 0x678 + 0x321,
        "p_filesz bytes come from the file, and the 0x678 before them; all behind them, up to p_memsz, is "
        "zeros: a C program's global variables (bss)");
    expect_number(mapped[0].file_size, 0x1234, "where p_filesz is p_memsz, all of it is the file's");
}

static void rights_are_those_of_the_flags(void **state)
{
    (void)state;
    image.segment[2] = load(PF_R, 0x408000, 0x3000, 0x100, 0x100);
    loads();
    expect_number(
        mapped[0].prot, PROT_READ | PROT_EXEC,
        "code is R and X, and must not be writable. PF_X is 1 and PF_R is 4, but PROT_READ is 1 and "
        "PROT_EXEC is 4: the bits cannot be copied");
    expect_number(mapped[1].prot, PROT_READ | PROT_WRITE,
                  "data is R and W, and must not be executable (W^X)");
    expect_number(mapped[2].prot, PROT_READ, "constants are R only");
}

static void the_heap_begins_behind_the_last_segment(void **state)
{
    (void)state;
    loads();
    expect_number(vm.brk_start, DATA + 0x4000, "brk begins at the page behind the highest segment");
    expect_number(vm.brk, DATA + 0x4000, "and is empty");
    set_up(state);
    Elf64_Phdr code = image.segment[0];
    image.segment[0] = image.segment[1];
    image.segment[1] = code;
    loads();
    expect_number(vm.brk, DATA + 0x4000, "the highest segment counts, not the last one in the table");
}

static void a_program_that_can_lie_anywhere_is_moved(void **state)
{
    (void)state;
    image.header.e_type = ET_DYN;
    image.segment[0].p_vaddr = 0;
    image.segment[1].p_vaddr = 0x2678;
    loads();
    expect_number(mapped[0].start, BIAS, "p_vaddr + bias");
    expect_number(mapped[1].start, BIAS + 0x2000, "all segments are moved by the same bias");
    expect_number(mapped[1].offset, 0x2000, "the place in the file does not move");
    expect_number(vm.brk, BIAS + 0x6000, "and the heap is behind the moved program");
}

static void an_empty_segment_is_nothing(void **state)
{
    (void)state;
    image.segment[2] = load(PF_R, 0x409123, 0x7777, 0, 0);
    loads();
    expect_number(mapped_count, 2, "p_memsz is 0: nothing to map, whatever the other fields say");
}

static void segments_that_are_not_in_the_file_are_refused(void **state)
{
    Elf64_Phdr *data = &image.segment[0];

    (void)state;
    *data = load(PF_R | PF_W, DATA, 0x1000, 0x2000, 0x1000);
    refused("p_filesz must not be larger than p_memsz: the file's bytes would have no place");
    *data = load(PF_R | PF_W, DATA, FILE_BYTES - 0x1000, 0x1001, 0x2000);
    refused("the segment's bytes end behind the end of the file");
    *data = load(PF_R | PF_W, DATA, FILE_BYTES + 0x1000, 0x10, 0x2000);
    refused("the segment's bytes begin behind the end of the file");
    *data = load(PF_R | PF_W, DATA, 0xfffffffffffff000, 0x1010, 0x2000);
    refused("p_offset + p_filesz wraps, and the sum looks small: check for that, too");
    *data = load(PF_R | PF_W, DATA + 0x678, 0x2000, 0x100, 0x100);
    refused("p_offset and p_vaddr must be at the same place in their pages (System V ABI, \"Program "
            "Header\"): a page "
            "of the file is a page of memory");
}

static void segments_beyond_a_programs_addresses_are_refused(void **state)
{
    (void)state;
    image.segment[0] = load(PF_R, DATA, 0x1000, 0x1000, UINT64_MAX - 0x100);
    refused("p_memsz is nearly 2^64: rounded up it is 0 pages");
    image.segment[0] = load(PF_R, 0xffffffffffffe000, 0x1000, 0x1000, 0x1000);
    refused("p_vaddr is the kernel's");
    image.segment[0] = load(PF_R, 1ul << 63, 0x1000, 0x1000, 0x1000);
    image.header.e_type = ET_DYN;
    refused("nor with a bias added");
    set_up(state);
    map_says = -EINVAL;
    refused(
        "vm_map() says -EINVAL to what begins below USER_START or ends beyond USER_END: for execve that is "
        "-ENOEXEC, a bad file, not a bad argument");
    map_says = -ENOMEM;
    expect_number((uint64_t)load_program(), (uint64_t)-ENOMEM,
                  "but that memory is used up is not the file's fault");
}

static void segments_must_not_overlap(void **state)
{
    (void)state;
    something_is_there = true;
    refused("vm_overlaps(): vm_map() would take away what an earlier segment has put there");
    expect_number(asked_start, CODE, "asked about whole pages");
    expect_number(asked_size, 0x2000, "asked about whole pages, all of the segment");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_segment_becomes_an_area),
        TEST(a_segment_need_not_begin_at_a_page),
        TEST(behind_the_files_bytes_is_bss),
        TEST(rights_are_those_of_the_flags),
        TEST(the_heap_begins_behind_the_last_segment),
        TEST(a_program_that_can_lie_anywhere_is_moved),
        TEST(an_empty_segment_is_nothing),
        TEST(segments_that_are_not_in_the_file_are_refused),
        TEST(segments_beyond_a_programs_addresses_are_refused),
        TEST(segments_must_not_overlap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
