/* The areas of an address space as a list. */
#ifndef AREA_H
#define AREA_H

#include "vm.h"

/* The area that holds the address, or NULL. */
struct area *area_find(struct address_space *vm, uint64_t address);

/* A copy with its own reference to the file, in no list. NULL: no memory. */
struct area *area_clone(const struct area *area);
void area_free(struct area *area);

void area_insert(struct address_space *vm, struct area *area);

/* Every call walks the list, which thus must not be of any length. */
#define AREAS_MAX 8192

/* Insert a copy, where nothing is; a neighbour that means the same covers the new addresses too. Returns 0,
 * or -ENOMEM, also if there are AREAS_MAX already. */
int area_add(struct address_space *vm, const struct area *area);

/* Have no area cross start or end. Returns 0, or -ENOMEM as area_add. */
int area_cut(struct address_space *vm, uint64_t start, uint64_t end);

/* Forget the areas inside [start, end), which no area may cross. */
void area_remove(struct address_space *vm, uint64_t start, uint64_t end);

#endif
