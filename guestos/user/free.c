/* free: how much memory there is, used and free, in KiB or with -m in MiB, as sysinfo(2) tells. */
#include "user.h"

#include <stdio.h>
#include <sys/sysinfo.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sysinfo info;
    unsigned long unit = 1024;
    int option;

    while ((option = getopt(argc, argv, "kmb")) != -1) {
        if (option == '?')
            return usage("free [-b | -k | -m]");
        unit = option == 'm' ? 1 << 20 : option == 'k' ? 1024 : 1;
    }
    if (sysinfo(&info) < 0)
        return complain("sysinfo");
    double total = (double)info.totalram * info.mem_unit / unit,
           free = (double)info.freeram * info.mem_unit / unit;
    printf("         total       used       free\n");
    printf("Mem: %9.0f  %9.0f  %9.0f\n", total, total - free, free);
    return finish(0);
}
