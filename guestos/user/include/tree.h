/* Copying and removing files with all that is below them: shared by cp, mv and rm. */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>

/* Copy a file, or with `recursive` a whole directory, to exactly the path `to`. Returns 0, or 1 after
 * messages. */
int copy_tree(const char *from, const char *to, bool recursive);

/* Remove a file, or with `recursive` a whole directory. Returns 0, or 1 after messages. */
int remove_tree(const char *path, bool recursive);

/*
 * Do work(from, to) for the arguments of cp and mv: FROM TO, or FROM... DIRECTORY, where each FROM keeps its
 * name in the directory. count is 2 or more. Returns the worst status.
 */
int for_each_source(char **paths, int count, int (*work)(const char *from, const char *to));

#endif
