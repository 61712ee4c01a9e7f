/* uptime: how long the system runs, how many processes there are, and the load, as sysinfo(2) tells. */
#include "user.h"

#include <stdio.h>
#include <sys/sysinfo.h>

int main(void)
{
    struct sysinfo info;

    if (sysinfo(&info) < 0)
        return complain("sysinfo");
    printf("up ");
    if (info.uptime >= 86400)
        printf("%ld day%s, ", info.uptime / 86400, info.uptime >= 2 * 86400 ? "s" : "");
    printf("%02ld:%02ld:%02ld, %u processes, load", info.uptime / 3600 % 24, info.uptime / 60 % 60,
           info.uptime % 60, info.procs);
    for (int i = 0; i < 3; i++)
        printf(" %lu.%02lu", info.loads[i] >> 16, (info.loads[i] & 0xffff) * 100 >> 16);
    putchar('\n');
    return finish(0);
}
