/* For the unit tests of lab 9: the thread for devices, replaced by a list of what it would watch. */
#ifndef WATCH_HOST_H
#define WATCH_HOST_H

#include "virtio/io_thread.h"

#define WATCHED_MAX 16

extern struct watch *watched[WATCHED_MAX];
extern unsigned watched_count;

/* Forget all of them. */
void watched_none(void);

/* The descriptor of watched[n] is ready: read it and call, as the thread does. Returns how often it was
 * written to. */
unsigned watched_ready(unsigned n);

#endif
