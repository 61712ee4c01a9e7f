/* Memory freed all at once: a command's tree and words live in an arena, so no error path can leak. */
#include "sh.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 4000

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) char data[];
};

static void add_block(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof *block + size);

    if (!block) {
        fprintf(stderr, "sh: out of memory (%zu bytes wanted)\n", size);
        exit(2);
    }
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;

    size = (size + 15) & ~(size_t)15;
    if (!block || block->size - block->used < size) {
        add_block(arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
        block = arena->blocks;
    }
    block->used += size;
    return block->data + block->used - size;
}

char *arena_copy(struct arena *arena, const char *data, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length)
        memcpy(copy, data, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    char *result;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    result = arena_alloc(arena, length + 1);
    vsnprintf(result, length + 1, format, again);
    va_end(again);
    va_end(args);
    return result;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

void text_append(struct text *text, const char *data, size_t length)
{
    if (text->length + length + 1 > text->capacity) {
        size_t capacity = 2 * (text->length + length) + 32;
        char *bigger = arena_alloc(text->arena, capacity);
        if (text->length)
            memcpy(bigger, text->data, text->length);
        text->data = bigger;
        text->capacity = capacity;
    }
    if (length)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, char c)
{
    text_append(text, &c, 1);
}
