/* pwd: print the current directory. */
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    char *cwd = getcwd(NULL, 0);

    if (!cwd)
        return complain("current directory");
    puts(cwd);
    free(cwd);
    return finish(0);
}
