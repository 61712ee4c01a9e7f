/* grep: print the lines that match a regular expression; -i -v -n -c -l -q -r -F -E as everywhere. */
#include "tree.h"
#include "user.h"

#include <dirent.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USAGE "grep [-i] [-v] [-n] [-c] [-l] [-q] [-r] [-h] [-F] [-E] PATTERN [FILE...]"

static bool options[128]; /* by letter */
static bool with_name, found;
static regex_t pattern;
static const char *fixed;

static bool matches(const char *line)
{
    bool match = fixed ? strstr(line, fixed) != NULL : regexec(&pattern, line, 0, NULL, 0) == 0;

    return match != options['v'];
}

static void print_line(const char *name, unsigned long number, const char *line)
{
    if (options['c'] || options['l'] || options['q'])
        return;
    if (with_name)
        printf("%s:", name);
    if (options['n'])
        printf("%lu:", number);
    puts(line);
}

static int search(int fd, const char *name)
{
    FILE *file = fdopen(dup(fd), "r");
    unsigned long number = 0, count = 0;
    char *line = NULL;
    size_t size = 0;

    if (!file)
        return complain(name) + 1;
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        number++;
        if (matches(line) && ++count)
            print_line(name, number, line);
    }
    int status = ferror(file) ? complain(name) + 1 : 0;
    free(line);
    fclose(file);
    found |= count > 0;
    if (options['l'] && count)
        puts(name);
    else if (options['c'])
        printf("%s%s%lu\n", with_name ? name : "", with_name ? ":" : "", count);
    return status;
}

static int search_tree(const char *path)
{
    struct dirent **entries;
    struct stat st;
    int status = 0, count = 0, fd;

    if (options['r'] && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        count = scandir(path, &entries, NULL, alphasort);
        if (count < 0)
            return complain(path) + 1;
        for (int i = 0; i < count; i++) {
            char *inner = join_path(path, entries[i]->d_name);
            if (inner && strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0)
                status |= search_tree(inner);
            free(inner);
            free(entries[i]);
        }
        free(entries);
        return status;
    }
    fd = open(path, O_RDONLY);
    if (fd < 0)
        return complain(path) + 1;
    status = search(fd, path);
    close(fd);
    return status;
}

static int compile(const char *text)
{
    char reason[128];
    int failure;

    if (options['F']) {
        fixed = text;
        return 0;
    }
    failure = regcomp(&pattern, text,
                      REG_NOSUB | (options['i'] ? REG_ICASE : 0) | (options['E'] ? REG_EXTENDED : 0));
    if (!failure)
        return 0;
    regerror(failure, &pattern, reason, sizeof reason);
    fprintf(stderr, "grep: %s: %s\n", text, reason);
    return 2;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    while ((option = getopt(argc, argv, "ivnclqrhFE")) != -1) {
        if (option == '?')
            return usage(USAGE);
        options[option] = true;
    }
    if (optind == argc || (options['F'] && options['i']))
        return usage(USAGE);
    if (compile(argv[optind++]) != 0)
        return 2;
    with_name = (argc - optind > 1 || options['r']) && !options['h'];
    if (optind == argc && !options['r'])
        status = search(STDIN_FILENO, "standard input");
    else if (optind == argc)
        status = search_tree(".");
    for (; optind < argc; optind++)
        status |= search_tree(argv[optind]);
    status = finish(status);
    return status ? status : !found;
}
