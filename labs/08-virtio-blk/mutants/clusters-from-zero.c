/* In: guestos/fs/fat_chain.c. Caught by: unit_fat_format.a_position_in_a_file_leads_to_bytes_of_the_disk.
 * Mistake: counts clusters from 0, where the first one is number 2. */
int fat_map(struct fat_node *node, uint64_t offset, uint64_t *position, uint64_t *bytes)
{
    struct fat *fat = node->fat;
    uint32_t cluster, count, within = offset % fat->cluster_size;
    int found = fat_chain_find(node, offset / fat->cluster_size, &cluster, &count);

    if (found != 1)
        return found;
    *position = fat->data + (uint64_t)cluster * fat->cluster_size + within;
    *bytes = (uint64_t)count * fat->cluster_size - within;
    return 1;
}
