/* A doubly linked list whose links live inside the elements. */
#ifndef LIST_H
#define LIST_H

#include "types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(head)                                                                                      \
    {                                                                                                        \
        &(head), &(head)                                                                                     \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Insert item before pos; with the head as pos, that is at the end. */
static inline void list_add_before(struct list *pos, struct list *item)
{
    item->prev = pos->prev;
    item->next = pos;
    pos->prev->next = item;
    pos->prev = item;
}

/* Take item out of its list. It then forms a list of its own, so taking it out twice is harmless. */
static inline void list_del(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define list_entry(item, type, member) container_of(item, type, member)

/* Walk a list; the body may delete the element at pos. */
#define list_for_each(pos, head)                                                                             \
    for (struct list *pos = (head)->next, *pos##_next = pos->next; pos != (head);                            \
         pos = pos##_next, pos##_next = pos->next)

#endif
