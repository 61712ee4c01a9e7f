/* cksum: POSIX's CRC and the byte count of files, so that the other side can verify that all bytes arrived.
 */
#include "user.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define POLYNOMIAL 0x04c11db7u

static uint32_t add_byte(uint32_t crc, unsigned char byte)
{
    crc ^= (uint32_t)byte << 24;
    for (int bit = 0; bit < 8; bit++)
        crc = crc << 1 ^ (crc >> 31 ? POLYNOMIAL : 0);
    return crc;
}

static int sum(int fd, const char *name)
{
    unsigned char buffer[4096];
    unsigned long long size = 0;
    uint32_t crc = 0;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        size += n;
        for (ssize_t i = 0; i < n; i++)
            crc = add_byte(crc, buffer[i]);
    }
    if (n < 0)
        return complain(name);
    for (unsigned long long rest = size; rest; rest >>= 8) /* POSIX: the size counts too, lowest byte first */
        crc = add_byte(crc, rest & 0xff);
    printf("%u %llu%s%s\n", ~crc, size, fd ? " " : "", fd ? name : "");
    return 0;
}

int main(int argc, char **argv)
{
    if (getopt(argc, argv, "") == '?')
        return usage("cksum [FILE...]");
    return finish(for_each_input(argv + optind, sum));
}
