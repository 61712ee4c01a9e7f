#include "sh.h"
#include <string.h>
#include <unistd.h>
enum edit_result terminal_read_line(struct shell *sh, const char *prompt, struct text *line)
{
    char c;
    (void)sh;
    write(2, prompt, strlen(prompt));
    while (read(0, &c, 1) == 1) {
        text_add(line, c);
        if (c == '\n')
            return EDIT_LINE;
    }
    return EDIT_END;
}
