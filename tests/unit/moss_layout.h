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

/* Instructions that a test program may execute, but not with the result that a test needs: the time-stamp
 * counter and CPUID are the test's, too, and the interrupt flag is cpu_host.c's. (Those that the host refuses
 * need no such help: cpu_host.c carries them out.) */
#include "guestos/include/cpu.h"
extern bool cpu_host_irq_on;
uint64_t host_tsc(void);
struct cpuid host_cpuid(uint32_t leaf, uint32_t subleaf);
#define irq_enabled()        (cpu_host_irq_on)
#define read_tsc()           host_tsc()
#define cpuid(leaf, subleaf) host_cpuid(leaf, subleaf)

#endif
