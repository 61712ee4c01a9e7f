/* poweroff: write everything and switch the machine off; on Moss its exit status is STATUS, 0 if none is
 * given. */
#define _GNU_SOURCE
#include "user.h"

#include <sys/syscall.h>
#include <unistd.h>

#define MAGIC_1   0xfee1dead
#define MAGIC_2   0x28121969
#define POWER_OFF 0x4321fedc

int main(int argc, char **argv)
{
    long status = 0;

    if (argc > 2 || (argc == 2 && parse_number(argv[1], 0, 255, &status) < 0))
        return usage("poweroff [STATUS], STATUS from 0 to 255");
    sync();
    syscall(SYS_reboot, MAGIC_1, MAGIC_2, POWER_OFF,
            status); /* Linux ignores the last argument, Moss does not */
    return complain("reboot");
}
