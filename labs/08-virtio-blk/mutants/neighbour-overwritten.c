/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.what_an_entry_does_not_own_stays. Mistake: writes
 * two whole bytes for an entry of 12 bits: four bits of its neighbour become 0. */
static void encode(const struct fat *fat, uint32_t cluster, uint32_t value, uint8_t *bytes)
{
    uint32_t word = 0;

    memcpy(&word, bytes, width_of(fat));
    if (fat->bits == 32)
        word = (word & 0xf0000000) | (value & 0x0fffffff);
    else if (fat->bits == 16)
        word = value & 0xffff;
    else
        word = cluster % 2 ? (value & 0xfff) << 4 : value & 0xfff;
    memcpy(bytes, &word, width_of(fat));
}
