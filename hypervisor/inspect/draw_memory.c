/* The control socket's command "memory": a map of RAM, a character for each frame, by who uses it. */
#include <stdlib.h>
#include <sys/mman.h>
#include "control.h"
#include "x86.h"

#define COLUMNS    64
#define ENTRIES    512
#define HALF       (PAGE_SIZE / 2)
#define SPACES_MAX 20
#define WORK_MAX   (1ul << 26) /* frames marked: page tables may map the same 1 GiB again and again */

/* What a frame is: one of these, or SPACE + n: a page of the program in address space n. A frame that is
 * several is the highest. */
enum use { NO_RAM, UNTOUCHED, TOUCHED, LOADED, SHARED, SPACE, TABLE = SPACE + SPACES_MAX, USES };

static const char marks[USES + 1] = " .+L=abcdefghijklmnopqrstT";

struct map {
    struct vm *vm;
    uint8_t *use; /* of each frame, by its number */
    uint64_t frames;
    uint64_t work;              /* frames marked so far */
    uint64_t roots[SPACES_MAX]; /* of the address spaces: the physical address of the top table */
    unsigned count, running;    /* of them; the first so many are vCPUs' */
};

/* What the host has given memory for. */
static void mark_touched(struct map *map)
{
    for (const struct ram *ram = map->vm->ram; ram < map->vm->ram + map->vm->ram_count; ram++) {
        uint8_t *use = map->use + ram->gpa / PAGE_SIZE;
        bool known = mincore(ram->hva, ram->size, use) == 0; /* bit 0: resident */
        for (uint64_t i = 0; i < ram->size / PAGE_SIZE; i++)
            use[i] = known && use[i] & 1 ? TOUCHED : UNTOUCHED;
    }
}

/* A program's page of another address space than before is shared. What is no RAM stays what it is. */
static void mark(struct map *map, uint64_t gpa, uint64_t size, enum use use)
{
    for (uint64_t frame = gpa / PAGE_SIZE; frame * PAGE_SIZE < gpa + size && map->work < WORK_MAX;
         frame++, map->work++) {
        enum use now = frame < map->frames ? map->use[frame] : NO_RAM;
        if (now >= SHARED && now < TABLE && now != use)
            map->use[frame] = SHARED;
        else if (now != NO_RAM && now < use)
            map->use[frame] = (uint8_t)use;
    }
}

/* Follow the table for `level`, and all below it. A frame is followed once: the tables may point at each
 * other, or at themselves, so the depth is limited too. */
static void mark_tables(struct map *map, uint64_t gpa, unsigned level, bool user, enum use use)
{
    const uint64_t *table = guest_ptr(map->vm, gpa & PTE_ADDR, PAGE_SIZE);
    uint64_t frame = (gpa & PTE_ADDR) / PAGE_SIZE;

    if (!table || map->use[frame] == TABLE)
        return;
    map->use[frame] = TABLE;
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t entry = table[i], size = PAGE_SIZE << (9 * (level - 1));
        if (!(entry & PTE_P))
            continue;
        bool is_page = level == 1 || (level < 4 && entry & PTE_PS);
        if (!is_page)
            mark_tables(map, entry, level - 1, user && entry & PTE_U, use);
        else if (user && entry & PTE_U)
            mark(map, entry & PTE_ADDR & -size, size, use);
    }
}

static void add_space(struct map *map, uint64_t root, unsigned levels)
{
    unsigned i = 0;

    while (i < map->count && map->roots[i] != root)
        i++;
    if (i == SPACES_MAX)
        return;
    map->roots[i] = root;
    map->count += i == map->count;
    mark_tables(map, root, levels, true, SPACE + i);
}

/* The address spaces that run, and those that wait: a kernel has its own half in the upper half of each, so
 * any frame that ends as the running top table does is another top table. */
static void mark_spaces(struct map *map)
{
    static const uint8_t nothing[HALF];
    unsigned levels = 4;
    struct kvm_sregs s;

    for (unsigned i = 0; i < map->vm->cpus; i++)
        if (ioctl(map->vm->vcpus[i]->fd, KVM_GET_SREGS, &s) == 0 && s.efer & EFER_LMA) {
            levels = s.cr4 & CR4_LA57 ? 5 : 4;
            add_space(map, s.cr3 & PTE_ADDR, levels);
        }
    map->running = map->count;
    const uint8_t *running = map->count ? guest_ptr(map->vm, map->roots[0], PAGE_SIZE) : NULL;
    if (!running || memcmp(running + HALF, nothing, HALF) == 0)
        return;
    for (uint64_t frame = 0; frame < map->frames; frame++) {
        const uint8_t *data =
            map->use[frame] == TOUCHED ? guest_ptr(map->vm, frame * PAGE_SIZE, PAGE_SIZE) : NULL;
        if (data && memcmp(data + HALF, running + HALF, HALF) == 0)
            add_space(map, frame * PAGE_SIZE, levels);
    }
}

/* A character for each frame. As hexdump does, a `*` stands for rows that are as the one before. */
static void draw_rows(FILE *out, const struct map *map)
{
    char row[COLUMNS + 1] = "", before[COLUMNS + 1] = "";
    bool same = false;

    for (uint64_t frame = 0; frame < map->frames; frame += COLUMNS) {
        for (uint64_t i = 0; i < COLUMNS; i++)
            row[i] = frame + i < map->frames ? marks[map->use[frame + i]] : ' ';
        if (strcmp(row, before) != 0)
            fprintf(out, "%10lx  %s\n", frame * PAGE_SIZE, row);
        else if (!same)
            fprintf(out, "%10s\n", "*");
        same = strcmp(row, before) == 0;
        strcpy(before, row);
    }
}

static void draw_key(FILE *out, const struct map *map)
{
    static const char *const meanings[USES] = {
        [UNTOUCHED] = "never touched: the host has given no memory",
        [TOUCHED] = "touched by the kernel, or once in use",
        [LOADED] = "put there by the loader",
        [SHARED] = "pages of several programs' address spaces",
        [TABLE] = "page tables",
    };
    uint64_t count[USES] = {0};

    for (uint64_t i = 0; i < map->frames; i++)
        count[map->use[i]]++;
    fputs("\nFrames of 4 KiB:\n", out);
    for (unsigned i = 0; i < USES; i++)
        if (meanings[i])
            fprintf(out, "  %c %8lu  %s\n", marks[i], count[i], meanings[i]);
        else if (i - SPACE < map->count)
            fprintf(out, "  %c %8lu  pages of the address space with its top table at %lx%s\n", marks[i],
                    count[i], map->roots[i - SPACE], i - SPACE < map->running ? ", which runs" : "");
    for (const struct range *r = map->vm->reserved; r < map->vm->reserved + map->vm->reserved_count; r++)
        fprintf(out, "  L %8lx-%lx  %s\n", r->gpa, r->gpa + r->size - 1, r->name);
}

static bool draw_memory(struct vm *vm, const char *const *arguments, FILE *out)
{
    const struct ram *last = &vm->ram[vm->ram_count - 1];
    struct map map = {.vm = vm, .frames = (last->gpa + last->size) / PAGE_SIZE};

    (void)arguments;
    map.use = calloc(1, map.frames);
    if (!map.use)
        return fputs("there is no memory for the map", out), false;
    mark_touched(&map);
    for (const struct range *r = vm->reserved; r < vm->reserved + vm->reserved_count; r++)
        mark(&map, r->gpa, r->size, LOADED);
    mark_spaces(&map);
    draw_rows(out, &map);
    draw_key(out, &map);
    free(map.use);
    return true;
}

CONTROL(memory_control) = {"memory", "", "a map of RAM: who uses which frame", draw_memory};
