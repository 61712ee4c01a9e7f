/* wc: count lines, words and bytes; -l, -w and -c choose. */
#include "user.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct counts {
    unsigned long lines, words, bytes;
};

static bool show_lines, show_words, show_bytes;
static struct counts total;

static void print(const struct counts *counts, const char *name)
{
    if (show_lines)
        printf("%7lu ", counts->lines);
    if (show_words)
        printf("%7lu ", counts->words);
    if (show_bytes)
        printf("%7lu ", counts->bytes);
    puts(name);
}

static int count(int fd, const char *name)
{
    struct counts counts = {0};
    char buffer[4096];
    bool in_word = false;
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0) {
        counts.bytes += n;
        for (ssize_t i = 0; i < n; i++) {
            bool space = isspace((unsigned char)buffer[i]);
            counts.lines += buffer[i] == '\n';
            counts.words += !space && !in_word;
            in_word = !space;
        }
    }
    if (n < 0)
        return complain(name);
    print(&counts, fd == STDIN_FILENO ? "" : name);
    total.lines += counts.lines;
    total.words += counts.words;
    total.bytes += counts.bytes;
    return 0;
}

int main(int argc, char **argv)
{
    int option, status;

    while ((option = getopt(argc, argv, "lwc")) != -1) {
        if (option == '?')
            return usage("wc [-l] [-w] [-c] [FILE...]");
        show_lines |= option == 'l';
        show_words |= option == 'w';
        show_bytes |= option == 'c';
    }
    if (!show_lines && !show_words && !show_bytes)
        show_lines = show_words = show_bytes = true;
    status = for_each_input(argv + optind, count);
    if (argc - optind > 1)
        print(&total, "total");
    return finish(status);
}
