/* Read before every file of Moss's kernel that is tested on the host: memory and start-up calls where a host
 * program can have them. */
#ifndef MOSS_LAYOUT_H
#define MOSS_LAYOUT_H

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

#endif
