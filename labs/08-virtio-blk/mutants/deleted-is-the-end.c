/* In: guestos/fs/fat_dir.c. Caught by: unit_fat_format.deleted_entries_are_free_and_no_end. Mistake: takes a
 * deleted slot (0xe5) for the end of the directory: what comes behind it is lost. */
static enum slot_kind kind_of(const struct fat_short *slot)
{
    if (slot->name[0] == 0 || slot->name[0] == FAT_DELETED)
        return SLOT_END;
    if ((slot->attributes & 0x3f) == FAT_LONG_NAME)
        return SLOT_NAME_PART;
    return (slot->attributes & FAT_LABEL) || slot->name[0] == '.' ? SLOT_HIDDEN : SLOT_FILE;
}
