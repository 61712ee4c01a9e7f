/* FAT: names. Long ones are UCS-2 on the disk, short ones 8+3 bytes of DOS's code page 437. */
#include "errno.h"
#include "fat.h"
#include "string.h"

/* The base name, the extension, is to be shown in lower case: as Windows NT has it. */
#define CASE_BASE 0x08
#define CASE_TYPE 0x10

/* Code page 437 from 0x80 on. */
static const uint16_t high_half[128] = {
    0xc7,   0xfc,   0xe9,   0xe2,   0xe4,   0xe0,   0xe5,   0xe7,   0xea,   0xeb,   0xe8,   0xef,   0xee,
    0xec,   0xc4,   0xc5,   0xc9,   0xe6,   0xc6,   0xf4,   0xf6,   0xf2,   0xfb,   0xf9,   0xff,   0xd6,
    0xdc,   0xa2,   0xa3,   0xa5,   0x20a7, 0x192,  0xe1,   0xed,   0xf3,   0xfa,   0xf1,   0xd1,   0xaa,
    0xba,   0xbf,   0x2310, 0xac,   0xbd,   0xbc,   0xa1,   0xab,   0xbb,   0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x3b1,  0xdf,   0x393,  0x3c0,  0x3a3,  0x3c3,  0xb5,   0x3c4,
    0x3a6,  0x398,  0x3a9,  0x3b4,  0x221e, 0x3c6,  0x3b5,  0x2229, 0x2261, 0xb1,   0x2265, 0x2264, 0x2320,
    0x2321, 0xf7,   0x2248, 0xb0,   0x2219, 0xb7,   0x221a, 0x207f, 0xb2,   0x25a0, 0xa0};

/* One character of UTF-8. Returns the number of its bytes, or 0 if they are none. */
static unsigned decode(const uint8_t *s, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned n = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf8 ? 4 : 0;

    *c = n > 1 ? *s & (0x7f >> n) : *s;
    for (unsigned i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (s[i] & 0x3f);
    }
    return n && *c >= least[n] && *c < 0x110000 && (*c < 0xd800 || *c > 0xdfff) ? n : 0;
}

static bool allowed(uint32_t c)
{
    return c >= 0x20 && c != 0x7f && !(c < 0x80 && strchr("\"*/:<>?\\|", c));
}

int fat_name_parse(const char *name, uint16_t *out)
{
    size_t bytes = strlen(name);
    unsigned length = 0;
    uint32_t c;

    while (bytes && name[bytes - 1] == '.')
        bytes--;
    for (size_t i = 0, n; i < bytes; i += n) {
        n = decode((const uint8_t *)name + i, &c);
        if (n == 0 || !allowed(c))
            return -EINVAL;
        if (length + 1 + (c > 0xffff) > FAT_NAME_MAX)
            return -ENAMETOOLONG;
        if (c > 0xffff) {
            out[length++] = 0xd800 | (c - 0x10000) >> 10;
            c = 0xdc00 | (c & 0x3ff);
        }
        out[length++] = c;
    }
    return length == 0 || out[length - 1] == ' ' ? -EINVAL : (int)length;
}

static unsigned encode(uint32_t c, char *out)
{
    unsigned n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (unsigned i = n; i-- > 1; c >>= 6)
        out[i] = 0x80 | (c & 0x3f);
    out[0] = n == 1 ? c : (0xf00 >> n & 0xff) | c;
    return n;
}

int fat_name_format(const uint16_t *name, unsigned length, char *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < length; i++) {
        uint32_t c = name[i];
        bool pair = (c & 0xfc00) == 0xd800 && i + 1 < length && (name[i + 1] & 0xfc00) == 0xdc00;
        if (pair)
            c = 0x10000 + ((c & 0x3ff) << 10) + (name[++i] & 0x3ff);
        else if (c == 0 || c == '/' || (c & 0xf800) == 0xd800)
            c = 0xfffd; /* no program could name it otherwise */
        char bytes[4];
        unsigned size = encode(c, bytes);
        if (n + size > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(out + n, bytes, size);
        n += size;
    }
    out[n] = 0;
    return n;
}

static uint16_t of_short(uint8_t byte, bool lower)
{
    if (byte >= 0x80)
        return high_half[byte - 0x80];
    if (lower && byte >= 'A' && byte <= 'Z')
        return byte + 'a' - 'A';
    return byte;
}

int fat_name_of_short(const struct fat_short *entry, uint16_t *out)
{
    unsigned base = 8, type = 3, n = 0;

    while (base > 0 && entry->name[base - 1] == ' ')
        base--;
    while (type > 0 && entry->name[8 + type - 1] == ' ')
        type--;
    for (unsigned i = 0; i < base; i++) {
        uint8_t byte = i == 0 && entry->name[0] == 0x05 ? 0xe5 : entry->name[i]; /* 0xe5 means deleted */
        out[n++] = of_short(byte, entry->case_bits & CASE_BASE);
    }
    if (type)
        out[n++] = '.';
    for (unsigned i = 0; i < type; i++)
        out[n++] = of_short(entry->name[8 + i], entry->case_bits & CASE_TYPE);
    return n;
}

/* The upper case of Latin, Greek and Cyrillic letters. */
static uint16_t upper(uint16_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 0x20 : c;
    if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) ||
        (c >= 0x430 && c <= 0x44f))
        return c - 0x20;
    if (c >= 0x450 && c <= 0x45f)
        return c - 0x50;
    if (c >= 0x100 && c < 0x138 && c != 0x130 && c != 0x131)
        return c & ~1;
    if ((c >= 0x139 && c < 0x149) || (c >= 0x179 && c < 0x17f))
        return c % 2 ? c : c - 1;
    return c >= 0x14a && c < 0x178 ? c & ~1 : c;
}

bool fat_names_equal(const uint16_t *a, unsigned a_length, const uint16_t *b, unsigned b_length)
{
    if (a_length != b_length)
        return false;
    for (unsigned i = 0; i < a_length; i++)
        if (upper(a[i]) != upper(b[i]))
            return false;
    return true;
}

uint32_t fat_name_hash(const uint16_t *name, unsigned length)
{
    uint32_t hash = 2166136261; /* FNV-1a */

    for (unsigned i = 0; i < length; i++)
        hash = (hash ^ upper(name[i])) * 16777619;
    return hash;
}

static bool fits_short(uint16_t c)
{
    return c > 0x20 && c < 0x7f && !strchr("+,;=[].", c);
}

/* Put characters into a part of a short name. Returns false if they do not fit; *bits gets `bit` if all
 * letters are small. */
static bool put_part(const uint16_t *from, unsigned n, uint8_t *to, unsigned room, uint8_t bit, uint8_t *bits)
{
    bool small = false, large = false;

    if (n > room)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!fits_short(from[i]))
            return false;
        small |= from[i] >= 'a' && from[i] <= 'z';
        large |= from[i] >= 'A' && from[i] <= 'Z';
        to[i] = upper(from[i]);
    }
    if (small)
        *bits |= bit;
    return !(small && large);
}

/* Where the extension begins, behind the last dot; `length` if there is none. */
static unsigned dot_of(const uint16_t *name, unsigned length)
{
    for (unsigned i = length; i-- > 1;)
        if (name[i] == '.')
            return i;
    return length;
}

bool fat_name_is_short(const uint16_t *name, unsigned length, struct fat_short *entry)
{
    unsigned dot = dot_of(name, length), type = dot < length ? dot + 1 : length;

    memset(entry->name, ' ', sizeof(entry->name));
    entry->case_bits = 0;
    return put_part(name, dot, entry->name, 8, CASE_BASE, &entry->case_bits) &&
           put_part(name + type, length - type, entry->name + 8, 3, CASE_TYPE, &entry->case_bits);
}

/* Up to `room` characters that a short name can have. Returns how many. */
static unsigned squeeze(const uint16_t *from, unsigned n, uint8_t *to, unsigned room)
{
    unsigned used = 0;

    for (unsigned i = 0; i < n && used < room; i++)
        if (from[i] != ' ' && from[i] != '.')
            to[used++] = fits_short(from[i]) ? upper(from[i]) : '_';
    return used;
}

/* NAME~1 to NAME~4, as everybody does; then two letters, four digits from the whole name, and ~1: trying all
 * numbers would take long where many names begin alike. */
void fat_name_alias(const uint16_t *name, unsigned length, unsigned number, uint8_t *alias)
{
    unsigned dot = dot_of(name, length);
    uint32_t hash = fat_name_hash(name, length) + number * 0x9e3779b9;

    memset(alias, ' ', 11);
    unsigned used = squeeze(name, dot, alias, number <= 4 ? 6 : 2);
    if (used == 0)
        alias[used++] = '_';
    for (unsigned i = 0; number > 4 && i < 4; i++, hash >>= 4)
        alias[used++] = "0123456789ABCDEF"[hash & 15];
    alias[used] = '~';
    alias[used + 1] = number <= 4 ? '0' + number : '1';
    if (dot < length)
        squeeze(name + dot + 1, length - dot - 1, alias + 8, 3);
}

uint8_t fat_name_checksum(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 11; i++) /* fatgen, "ChkSum()" */
        sum = (sum << 7 | sum >> 1) + short_name[i];
    return sum;
}
