/* clear: empty the screen and put the cursor at its top. */
#include "user.h"

#include <stdio.h>

int main(void)
{
    fputs("\033[H\033[2J\033[3J", stdout);
    return finish(0);
}
