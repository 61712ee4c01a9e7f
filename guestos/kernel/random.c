/*
 * Random numbers: ChaCha20 (RFC 8439 §2.3) with a key that is stirred with everything that others cannot
 * know, and replaced by each block that it makes, so that nobody can find out later what was given out
 * before.
 */
#include "cpu.h"
#include "random.h"
#include "spinlock.h"
#include "string.h"

#define KEY_WORDS 8
#define ROUNDS    10 /* of two: columns, diagonals */

static struct spinlock lock; /* guards what follows */
static uint32_t key[KEY_WORDS];
static size_t given_out; /* bytes since the source was last asked */
static bool begun;
static void (*refresh_source)(void);

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *d = rotate(*d ^ (*a += *b), 16);
    *b = rotate(*b ^ (*c += *d), 12);
    *d = rotate(*d ^ (*a += *b), 8);
    *b = rotate(*b ^ (*c += *d), 7);
}

static void make_block(uint32_t block[16])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */

    memcpy(start + 4, key, sizeof(key)); /* the counter and the nonce stay 0: no key makes two blocks */
    memcpy(block, start, sizeof(start));
    for (int i = 0; i < ROUNDS; i++) {
        for (int column = 0; column < 4; column++)
            quarter_round(&block[column], &block[4 + column], &block[8 + column], &block[12 + column]);
        for (int column = 0; column < 4; column++)
            quarter_round(&block[column], &block[4 + (column + 1) % 4], &block[8 + (column + 2) % 4],
                          &block[12 + (column + 3) % 4]);
    }
    for (int i = 0; i < 16; i++)
        block[i] += start[i];
}

/* Half of a block is the next key, the other half is given out. */
static void next_block(uint32_t out[KEY_WORDS])
{
    uint32_t block[16];

    make_block(block);
    memcpy(key, block, sizeof(key));
    memcpy(out, block + KEY_WORDS, KEY_WORDS * sizeof(*out));
}

static void stir(const void *bytes, size_t n)
{
    uint32_t unused[KEY_WORDS], part[KEY_WORDS];

    for (size_t done = 0; done < n; done += sizeof(part)) {
        memset(part, 0, sizeof(part));
        memcpy(part, (const char *)bytes + done, MIN(n - done, sizeof(part)));
        for (int i = 0; i < KEY_WORDS; i++)
            key[i] ^= part[i];
        next_block(unused);
    }
}

/* What the CPU has to offer: its own source, if it has one, and the time. */
static void stir_with_cpu(void)
{
    uint64_t words[4] = {read_tsc()};

    if (!begun && cpuid(1, 0).ecx & 1u << 30)
        for (int i = 0; i < 4; i++)
            __asm__ volatile("rdrand %0" : "+r"(words[i]));
    begun = true;
    stir(words, sizeof(words));
}

void random_fill(void *to, size_t n)
{
    uint32_t block[KEY_WORDS];

    spin_lock(&lock);
    stir_with_cpu();
    for (size_t done = 0; done < n; done += sizeof(block)) {
        next_block(block);
        memcpy((char *)to + done, block, MIN(n - done, sizeof(block)));
    }
    given_out += n;
    bool refresh = refresh_source && given_out >= RANDOM_REFRESH;
    if (refresh)
        given_out = 0;
    spin_unlock(&lock);
    if (refresh)
        refresh_source();
}

void random_add(const void *bytes, size_t n)
{
    spin_lock(&lock);
    stir(bytes, n);
    spin_unlock(&lock);
}

void random_set_source(void (*refresh)(void))
{
    refresh_source = refresh;
    refresh();
}
