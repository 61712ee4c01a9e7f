/*
 * Write a byte where the head is, and move on. Returns 0, or -ENOSPC at the end of the tape. The end of what
 * was written moves only if the head passes it. Handout, section 4.1.
 */
int tape_write(struct tape *tape, uint8_t byte)
{
    (void)tape, (void)byte;
    lab_todo(40, "tape_write", "handout section 4.1");
    return -EIO;
}

/* Read the byte where the head is, 0 to 255, and move on. Returns -ENODATA where nothing was written.
 * Handout, section 4.2. */
int tape_read(struct tape *tape)
{
    (void)tape;
    lab_todo(40, "tape_read", "handout section 4.2");
    return -EIO;
}

/* Move the head to a cell, but not beyond what was written. Handout, section 4.3. */
void tape_seek(struct tape *tape, unsigned to)
{
    (void)tape, (void)to;
    lab_todo(40, "tape_seek", "handout section 4.3");
}

/* How many bytes can be read from here. Handout, section 4.4. */
unsigned tape_left(const struct tape *tape)
{
    (void)tape;
    lab_todo(40, "tape_left", "handout section 4.4");
    return 0;
}
