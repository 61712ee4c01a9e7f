/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.an_entry_may_lie_in_two_sectors. Mistake: reads the
 * sector in which an entry begins, and takes both bytes from that. */
int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
    uint64_t place = place_of(fat, cluster);
    uint8_t sector[SECTOR_SIZE], bytes[4];
    int error = cache_read(fat->device, place / SECTOR_SIZE * SECTOR_SIZE, sector, SECTOR_SIZE);

    if (error)
        return error;
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = sector[(place + i) % SECTOR_SIZE];
    if (fat->bits == 12 && cluster % 2) {
        *value = normal(fat, (bytes[0] | bytes[1] << 8) >> 4);
        return 0;
    }
    *value = decode(fat, bytes, 0);
    return 0;
}
