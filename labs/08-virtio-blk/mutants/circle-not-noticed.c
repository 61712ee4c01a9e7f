/* In: guestos/fs/fat_chain.c. Caught by: unit_fat_format.a_chain_in_a_circle_is_noticed. Mistake: follows a
 * chain that closes upon itself for ever. */
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
    if (error || *next == FAT_END)
        return error;
    return fat_valid(fat, *next) ? 0 : fat_damaged(fat, "a chain leads to cluster", *next);
}
