/* The line editor at a real terminal: raw mode while a line is typed, window size, completion from the file
 * system. */
#include "sh.h"
#include "user.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static struct shell *shell; /* for the completion of commands */

static void add_if_match(struct text *out, const char *prefix, const char *name, const char *behind,
                         size_t directory)
{
    if (strncmp(name, prefix + directory, strlen(prefix + directory)) != 0)
        return;
    text_append(out, prefix, directory);
    text_append(out, name, strlen(name));
    text_append(out, behind, strlen(behind));
    text_add(out, '\n');
}

/* The files whose path begins with prefix; commands are sought in a directory of PATH that the user does not
 * type. */
static void add_files(struct edit *edit, const char *where, const char *prefix, struct text *out)
{
    const char *slash = strrchr(prefix, '/');
    size_t directory = slash ? slash + 1 - prefix : 0;
    const char *path = where ? where : directory ? arena_copy(&edit->arena, prefix, directory) : ".";
    DIR *dir = opendir(path);
    struct dirent *entry;
    struct stat st;

    while (dir && (entry = readdir(dir))) {
        bool hidden = entry->d_name[0] == '.' && prefix[directory] != '.';
        const char *file = arena_format(&edit->arena, "%s/%s", path, entry->d_name);
        bool is_directory = !where && stat(file, &st) == 0 && S_ISDIR(st.st_mode);
        if (!hidden)
            add_if_match(out, prefix, entry->d_name, is_directory ? "/" : "", directory);
    }
    if (dir)
        closedir(dir);
}

static void complete_word(struct edit *edit, const char *word, bool is_command, struct text *out)
{
    const char *path = var_get(shell, "PATH");
    const struct builtin *builtin;

    if (!is_command || strchr(word, '/')) {
        add_files(edit, NULL, word, out);
        return;
    }
    for (size_t i = 0; (builtin = builtin_at(i)); i++)
        add_if_match(out, word, builtin->name, "", 0);
    while (path && *path) {
        size_t length = strcspn(path, ":");
        add_files(edit, arena_copy(&edit->arena, path, length), word, out);
        path += length + (path[length] == ':');
    }
}

static size_t window_columns(void)
{
    struct winsize window;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

static void write_output(struct edit *edit)
{
    write_all(STDERR_FILENO, edit->output.data, edit->output.length);
    edit->output.length = 0;
}

/* A byte at a time: what was typed ahead, behind this line, must stay in the terminal for the command to
 * read. */
static enum edit_result edit_line(struct edit *edit)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    enum edit_result result = EDIT_MORE;
    char c;

    while (result == EDIT_MORE) {
        if (poll(&input, 1, 0) == 0) {
            edit_refresh(edit);
            write_output(edit);
        }
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n == 1)
            result = edit_feed(edit, c);
        else if (n == 0 || errno != EINTR)
            result = EDIT_END;
    }
    write_output(edit);
    return result;
}

enum edit_result terminal_read_line(struct shell *sh, const char *prompt, struct text *line)
{
    static struct history history;
    struct termios cooked, raw;
    struct edit edit;
    enum edit_result result;

    shell = sh;
    interrupted = 0;
    tcgetattr(STDIN_FILENO, &cooked);
    raw = cooked;
    raw.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~IXON; /* ICRNL stays: what is typed ahead now may be read in cooked mode later */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw); /* not TCSAFLUSH: it would drop what was typed ahead */
    edit_start(&edit, prompt, window_columns(), &history);
    edit.complete = complete_word;
    result = edit_line(&edit);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &cooked);
    if (result == EDIT_LINE) {
        history_add(&history, edit.line.data);
        text_append(line, edit.line.data, edit.line.length);
        text_add(line, '\n');
    }
    edit_end(&edit);
    return result;
}
