/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.entries_of_12_bits_are_read. Mistake: takes the low
 * 12 bits of an odd entry of 12 bits, too. */
int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
    uint8_t bytes[4];
    int error = cache_read(fat->device, place_of(fat, cluster), bytes, width_of(fat));

    if (error == 0)
        *value = decode(fat, bytes, 0);
    return error;
}
