/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.entries_of_16_and_32_bits_are_read. Mistake: takes
 * all 32 bits of a FAT32 entry for the number; 4 of them are reserved. */
int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
    uint32_t word = 0;
    int error = cache_read(fat->device, place_of(fat, cluster), &word, width_of(fat));

    if (error)
        return error;
    if (fat->bits == 12)
        word = cluster % 2 ? word >> 4 : word & 0xfff;
    *value = normal(fat, word);
    return 0;
}
