/* JSON that we write ourselves: strings. What is read comes through libjansson. */
#include "json.h"

void json_put(FILE *out, const void *bytes, size_t size)
{
    fputc('"', out);
    for (const unsigned char *c = bytes; size--; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\' || *c == '<')
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    fputc('"', out);
}
