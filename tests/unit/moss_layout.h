/* Read before every file of Moss's kernel that is tested on the host: memory where a host program can have
 * it. */
#ifndef MOSS_LAYOUT_H
#define MOSS_LAYOUT_H

#include "guestos/include/layout.h"

#undef DIRECT_BASE
#undef MAP_BASE
#undef MAP_END
#define DIRECT_BASE 0x200000000000ul
#define MAP_BASE    0x300000000000ul
#define MAP_END     0x300040000000ul

#endif
