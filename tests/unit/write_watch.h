/* In which order memory is written: what another CPU would see, were it to look after every single store. */
#ifndef WRITE_WATCH_H
#define WRITE_WATCH_H

#include <stddef.h>

/* From now on note every store to these bytes (whole pages, at most 1 MiB), until watch_end(). One watch at a
 * time. */
void watch_begin(void *at, size_t size);
void watch_end(void);

/* When the last store to the `size` bytes at `at` was: 1 for the first that was noted, and so on; 0: there
 * was none. */
unsigned watch_last_store(const void *at, size_t size);

#endif
