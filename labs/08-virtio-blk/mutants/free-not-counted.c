/* In: guestos/fs/fat_table.c. Caught by: unit_fat_format.a_new_cluster_is_an_end_and_no_longer_free. Mistake:
 * marks the cluster, and does not count that there is one fewer. */
int fat_allocate(struct fat *fat, uint32_t near, uint32_t *cluster)
{
    if (fat->free == 0)
        return -ENOSPC;
    uint32_t from = fat_valid(fat, near) ? near : fat->next;
    uint32_t found = find_free(fat, from, fat->clusters + 2);
    if (!found)
        found = find_free(fat, 2, from);
    int error = fat_set(fat, found, FAT_END);
    if (error)
        return error;
    set_bit(fat->used, found);
    fat->next = found + 1 < fat->clusters + 2 ? found + 1 : 2;
    *cluster = found;
    return 0;
}
