/* In: guestos/fs/fat_dir.c. Caught by: unit_fat_format.deleted_entries_are_free_and_no_end. Mistake: compares
 * a char, which is signed here, with 0xe5: never equal, so deleted files are there again. */
static enum slot_kind kind_of(const struct fat_short *slot)
{
    int first = (char)slot->name[0];

    if (first == 0)
        return SLOT_END;
    if (first == FAT_DELETED)
        return SLOT_FREE;
    if ((slot->attributes & 0x3f) == FAT_LONG_NAME)
        return SLOT_NAME_PART;
    return (slot->attributes & FAT_LABEL) || first == '.' ? SLOT_HIDDEN : SLOT_FILE;
}
