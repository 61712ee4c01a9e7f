/* Read before every file of Moss's kernel that is tested on the host: memory and start-up calls where a host
 * program can have them. */
#ifndef MOSS_LAYOUT_H
#define MOSS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include "guestos/include/init.h"
#include "guestos/include/layout.h"

#undef DIRECT_BASE
#undef MAP_BASE
#undef MAP_END
#define DIRECT_BASE 0x200000000000ul
#define MAP_BASE    0x300000000000ul
#define MAP_END     0x300040000000ul

/* One section for all levels: its name can be a C name, so that a test finds it as __start_inits. */
#undef INIT_SECTION
#define INIT_SECTION(level) "inits"

/* Ports are the test's: it says what device answers. */
#define IO_H
uint8_t in8(uint16_t port);
void out8(uint16_t port, uint8_t value);
void out32(uint16_t port, uint32_t value);
void out8_many(uint16_t port, const void *bytes, size_t n);

#endif
