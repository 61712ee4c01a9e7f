/* How a test program's verdicts reach whoever runs it: results.c, which is linked into every test program. */
#ifndef RESULTS_H
#define RESULTS_H

#include <stdbool.h>

/* True in a program whose tests look at one long run (a boot, say): they share a process. Otherwise each has
 * its own. */
extern bool tests_share_a_process;

#endif
