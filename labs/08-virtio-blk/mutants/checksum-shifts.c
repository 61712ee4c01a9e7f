/* In: guestos/fs/fat_name.c. Caught by: unit_fat_format.the_checksum_is_the_one_of_mtools. Mistake: shifts
 * the sum to the right and loses bit 0, which should come in again at the left. */
uint8_t fat_name_checksum(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 11; i++)
        sum = (sum >> 1) + short_name[i];
    return sum;
}
