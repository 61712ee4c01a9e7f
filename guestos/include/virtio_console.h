/* The two halves of the virtio console's driver: what the first needs of the second, which does the output.
 */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include "virtqueue.h"

/* Use this queue for output. Returns 0 or -ENOMEM. */
int output_begin(struct virtqueue *queue);

/* The operations of struct console, and the queue's interrupt. */
void output_write(const char *bytes, size_t n);
bool output_write_sleeping(const char *bytes, size_t n, bool more);
void output_flush(void);
void output_used(struct virtqueue *queue);

/* The kernel panics: write by `emergency`, or, if the device has no such way (NULL), without the lock. */
void output_panic(void (*emergency)(const char *bytes, size_t n));

/* The device was given up: nobody shall wait for it any more. */
void output_end(void);

#endif
