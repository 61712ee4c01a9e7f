/* One process's address space for tests on the host, with a file behind it, and the rest of the kernel. */
#include "tests/unit/vm_host.h"

#define RAM    (4ul << 20)
#define POISON 0xdd

pte_t pte_noexec = 1ul << 63;

struct address_space *vm;
struct vnode node;
uint8_t file[FILE_PAGES * PAGE_SIZE];
unsigned node_refs, objects, objects_left, asked_for_memory;
uint64_t frames_at_start;
ssize_t read_says;

void *kmalloc(size_t size)
{
    if (objects_left == 0)
        return NULL;
    objects_left--;
    objects++;
    return calloc(1, size);
}

void kfree(void *p)
{
    objects -= p != NULL;
    free(p);
}

struct vnode *vnode_get(struct vnode *n)
{
    node_refs++;
    return n;
}

void vnode_put(struct vnode *n)
{
    (void)n;
    node_refs--;
}

ssize_t vnode_read(struct vnode *from, void *to, size_t n, uint64_t offset)
{
    assert_ptr_equal(from, &node);
    expect_true(offset % PAGE_SIZE + n <= PAGE_SIZE && n > 0, "at most a page is read, and at least a byte");
    if (read_says < 0)
        return read_says;
    if (offset >= node.size)
        return 0;
    n = n < node.size - offset ? n : node.size - offset;
    memcpy(to, file + offset, n);
    return (ssize_t)n;
}

bool out_of_memory(void)
{
    asked_for_memory++;
    return false;
}

/* ---- setting up ---- */

void poison_frames(void)
{
    uint64_t frames[64];

    for (unsigned i = 0; i < 64; i++) {
        frames[i] = frame_alloc();
        memset(phys_to_virt(frames[i]), POISON, PAGE_SIZE);
    }
    for (unsigned i = 0; i < 64; i++)
        frame_put(frames[i]);
}

static void give_ram(void)
{
    static bool given;

    if (given)
        return;
    given = true;
    moss_ram(RAM);
    frames_add(0, RAM);
    kernel_pml4 = frame_alloc_zero();
}

int vm_begin(void **state)
{
    (void)state;
    give_ram();
    poison_frames();
    for (unsigned i = 0; i < sizeof file; i++)
        file[i] = (uint8_t)(i / PAGE_SIZE * 0x11 + i % 251 + 1);
    node.size = sizeof file;
    read_says = 0;
    objects_left = ENDLESS;
    objects = 0;
    frames_at_start = frames_free();
    vm = vm_create();
    return 0;
}

void map(uint64_t start, uint64_t pages, uint32_t prot)
{
    assert_int_equal(vm_map(vm, start, pages * PAGE_SIZE, prot, false, NULL, 0, 0), 0);
}

void map_file(uint64_t start, uint64_t pages, uint32_t prot, uint64_t offset, uint64_t bytes)
{
    assert_int_equal(vm_map(vm, start, pages * PAGE_SIZE, prot, false, &node, offset, bytes), 0);
}

pte_t entry_in(struct address_space *space, uint64_t va)
{
    const pte_t *entry = pte_find(space->pml4, va, false);

    return entry ? *entry : 0;
}

uint64_t frame_in(struct address_space *space, uint64_t va)
{
    return entry_in(space, va) & PTE_ADDRESS;
}

uint8_t *bytes_in(struct address_space *space, uint64_t va)
{
    if (!entry_in(space, va))
        fail_msg("nothing is mapped at 0x%lx", va);
    return phys_to_virt(frame_in(space, va));
}

void touch(struct address_space *space, uint64_t va, uint32_t access)
{
    int error = vm_fault(space, va, access);

    if (error)
        fail_msg("vm_fault(0x%lx, %u) gives %d; the area allows this access", va, access, error);
}

void write_byte(struct address_space *space, uint64_t va, uint8_t value)
{
    if (!(entry_in(space, va) & PTE_WRITE))
        touch(space, va, PROT_WRITE);
    bytes_in(space, va)[va % PAGE_SIZE] = value;
}

void expect_all(const uint8_t *bytes, size_t n, uint8_t value, const char *lesson)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != value)
            fail_msg("byte %zu is 0x%02x, expected 0x%02x\n%s", i, bytes[i], value, lesson);
}

static uint64_t drained[RAM / PAGE_SIZE];
static unsigned drained_count;

void leave_frames(uint64_t n)
{
    while (frames_free() > n)
        drained[drained_count++] = frame_alloc();
}

void refill(void)
{
    while (drained_count)
        frame_put(drained[--drained_count]);
}

void all_is_given_back(struct address_space *child)
{
    if (child)
        vm_put(child);
    vm_put(vm);
    expect_number(frames_free(), frames_at_start,
                  "when the processes are gone, every frame has come back: one owner for each mapping, no "
                  "more, no less");
}
