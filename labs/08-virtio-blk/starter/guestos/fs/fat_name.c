/*
 * The checksum of the 11 bytes of a short name that each part of its long name carries, so that it is noticed
 * if a system that knows no long names changed the short one. Fatgen, "ChkSum()". Handout, section 4.9.
 */
uint8_t fat_name_checksum(const uint8_t *short_name)
{
    (void)short_name;
    return (uint8_t)lab_todo(8, "fat_name_checksum", "handout section 4.9");
}
