/* In: guestos/fs/fat_dir.c. Caught by: unit_fat_format.a_long_name_is_no_file_of_its_own. Mistake: asks for
 * the label's bit first, which the parts of long names have, too. */
static enum slot_kind kind_of(const struct fat_short *slot)
{
    if (slot->name[0] == 0)
        return SLOT_END;
    if (slot->name[0] == FAT_DELETED)
        return SLOT_FREE;
    if ((slot->attributes & FAT_LABEL) || slot->name[0] == '.')
        return SLOT_HIDDEN;
    return (slot->attributes & 0x3f) == FAT_LONG_NAME ? SLOT_NAME_PART : SLOT_FILE;
}
