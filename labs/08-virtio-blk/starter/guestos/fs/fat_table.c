/* removed: find_free */

/*
 * What follows cluster `cluster` (which is valid): *value gets the number in its entry, with the special
 * values the same for all widths (normal()). place_of() tells where the entry begins. An entry of 12 bits
 * shares a byte with its neighbour and may lie in two sectors; of 32 bits the upper 4 are reserved. Returns
 * 0, or cache_read's error. Fatgen, "FAT Data Structure". Handout, section 4.10.
 */
int fat_get(struct fat *fat, uint32_t cluster, uint32_t *value)
{
    (void)fat, (void)cluster, (void)value;
    return lab_todo(8, "fat_get", "handout section 4.10");
}

/*
 * Put `value` into the bytes of the entry of `cluster`: the width_of(fat) bytes from its place on, as they
 * are now. Bits that belong to a neighbour (12) or are reserved (the upper 4 of 32) stay as they are.
 * Handout, section 4.11.
 */
static void encode(const struct fat *fat, uint32_t cluster, uint32_t value, uint8_t *bytes)
{
    (void)fat, (void)cluster, (void)value, (void)bytes;
    lab_todo(8, "encode", "handout section 4.11");
}

/*
 * Take a free cluster: the first from `near` on, if that is a cluster, else from fat->next on; if there is
 * none up to the end, the first of all. It becomes the end of a chain in the table, in use in fat->used, and
 * is counted in fat->free; fat->next is the one behind it (2 after the last). If none is free but some are
 * pending, fat_commit() may bring them back. Returns 0 with the number in *cluster, -ENOSPC, or another
 * error. Handout, section 4.14.
 */
int fat_allocate(struct fat *fat, uint32_t near, uint32_t *cluster)
{
    (void)fat, (void)near, (void)cluster;
    return lab_todo(8, "fat_allocate", "handout section 4.14");
}
