/* The battery-backed clock of a PC. */
#ifndef RTC_H
#define RTC_H

#include "types.h"

/* Seconds since 1970 by the PC's clock chip; 0 if the machine has none. */
uint64_t rtc_read(void);

#endif
