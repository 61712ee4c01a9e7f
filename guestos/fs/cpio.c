/* Reading cpio archives. The archive may hold anything: every length is checked before it is used. */
#include "cpio.h"
#include "errno.h"
#include "string.h"

#define HEADER_SIZE 110
#define FIELD_MODE  1
#define FIELD_MTIME 5
#define FIELD_SIZE  6
#define FIELD_NAME  11 /* its length, with the zero */
#define FIELDS      13

/* Eight hexadecimal digits. */
static bool parse_field(const char *text, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 8; i++) {
        char c = text[i] | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static bool parse_header(const char *header, uint32_t *fields)
{
    if (memcmp(header, "070701", 6) != 0)
        return false;
    for (int i = 0; i < FIELDS; i++)
        if (!parse_field(header + 6 + i * 8, &fields[i]))
            return false;
    return true;
}

int cpio_next(const void *archive, size_t size, size_t *offset, struct cpio_entry *entry)
{
    const char *base = archive;
    uint32_t fields[FIELDS];
    size_t at = *offset;

    if (at > size || size - at < HEADER_SIZE || !parse_header(base + at, fields))
        return -EINVAL;
    size_t name_at = at + HEADER_SIZE, name_size = fields[FIELD_NAME];
    if (name_size == 0 || name_size > size - name_at || base[name_at + name_size - 1] != 0)
        return -EINVAL;
    size_t data_at = ROUND_UP(name_at + name_size, 4);
    if (data_at > size || fields[FIELD_SIZE] > size - data_at)
        return -EINVAL;
    *entry = (struct cpio_entry){base + name_at, fields[FIELD_MODE], fields[FIELD_MTIME], base + data_at,
                                 fields[FIELD_SIZE]};
    *offset = ROUND_UP(data_at + fields[FIELD_SIZE], 4);
    return strcmp(entry->name, "TRAILER!!!") == 0 ? 0 : 1;
}
