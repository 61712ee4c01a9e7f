/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.the_last_free_clusters_are_found. Mistake: looks
 * from `near` to the end of the table only. */
int fat_allocate(struct fat *fat, uint32_t near, uint32_t *cluster)
{
    uint32_t found = find_free(fat, fat_valid(fat, near) ? near : fat->next, fat->clusters + 2);

    if (!found)
        return -ENOSPC;
    int error = fat_set(fat, found, FAT_END);
    if (error)
        return error;
    set_bit(fat->used, found);
    fat->free--;
    fat->next = found + 1 < fat->clusters + 2 ? found + 1 : 2;
    *cluster = found;
    return 0;
}
