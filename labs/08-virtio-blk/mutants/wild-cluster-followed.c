/* In: guestos/fs/fat_chain.c. Caught by: unit_fat_format.a_chain_that_leads_nowhere_is_noticed. Mistake:
 * believes every number that the disk gives. */
static int find_next(struct fat_node *node, uint32_t *next)
{
    struct fat *fat = node->fat;
    int error = 0;

    if (node->known == 0)
        *next = node->start ? node->start : FAT_END;
    else if (node->link_from && last_known(node) == node->link_from)
        *next = node->link_to;
    else
        error = fat_get(fat, last_known(node), next);
    if (error == 0 && *next != FAT_END && node->known >= fat->clusters)
        return fat_damaged(fat, "a chain goes in a circle through cluster", *next);
    return error;
}
