/* reboot: write everything and start the machine again. */
#define _GNU_SOURCE
#include "user.h"

#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
    sync();
    reboot(RB_AUTOBOOT);
    return complain("reboot");
}
