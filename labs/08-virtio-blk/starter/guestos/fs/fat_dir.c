/*
 * What these 32 bytes of a directory are: the end of it, free (deleted), a part of a long name, something
 * that is no file (".", "..", the volume's name), or a file or directory. Fatgen, "FAT Directory Structure",
 * DIR_Name[0] and DIR_Attr. Handout, section 4.8.
 */
static enum slot_kind kind_of(const struct fat_short *slot)
{
    (void)slot;
    lab_todo(8, "kind_of", "handout section 4.8");
    return SLOT_END;
}
