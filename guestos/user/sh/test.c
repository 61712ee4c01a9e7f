/* The builtins test and [: conditions on files, strings and numbers (POSIX XCU test), and -a and -o between
 * them. */
#include "sh.h"
#include "user.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRONG 2 /* the status for a condition that makes no sense */

static int is_file(const char *path, mode_t kind)
{
    struct stat st;

    return !(stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind);
}

static int has_content(const char *path)
{
    struct stat st;

    return !(stat(path, &st) == 0 && st.st_size > 0);
}

static int test_unary(struct shell *sh, const char *op, const char *operand)
{
    struct stat st;
    long fd;

    switch (op[0] == '-' && op[1] && !op[2] ? op[1] : 0) {
    case 'n':
        return !*operand;
    case 'z':
        return *operand != 0;
    case 'e':
        return stat(operand, &st) != 0;
    case 'f':
        return is_file(operand, S_IFREG);
    case 'd':
        return is_file(operand, S_IFDIR);
    case 'c':
        return is_file(operand, S_IFCHR);
    case 'p':
        return is_file(operand, S_IFIFO);
    case 'h':
    case 'L':
        return !(lstat(operand, &st) == 0 && S_ISLNK(st.st_mode));
    case 's':
        return has_content(operand);
    case 'r':
        return access(operand, R_OK) != 0;
    case 'w':
        return access(operand, W_OK) != 0;
    case 'x':
        return access(operand, X_OK) != 0;
    case 't':
        return !(parse_number(operand, 0, INT_MAX, &fd) == 0 && isatty(fd));
    default:
        shell_error(sh, "test: %s is no test of one operand that the shell knows", op);
        return WRONG;
    }
}

static int test_numbers(struct shell *sh, const char *left, const char *op, const char *right)
{
    long a, b;

    if (parse_number(left, LONG_MIN, LONG_MAX, &a) < 0 || parse_number(right, LONG_MIN, LONG_MAX, &b) < 0) {
        shell_error(sh, "test: %s %s %s: both sides must be whole numbers", left, op, right);
        return WRONG;
    }
    switch (op[1] << 8 | op[2]) {
    case 'e' << 8 | 'q':
        return !(a == b);
    case 'n' << 8 | 'e':
        return !(a != b);
    case 'l' << 8 | 't':
        return !(a < b);
    case 'l' << 8 | 'e':
        return !(a <= b);
    case 'g' << 8 | 't':
        return !(a > b);
    default:
        return !(a >= b);
    }
}

static bool is_number_operator(const char *op)
{
    return strlen(op) == 3 && strstr(" -eq -ne -lt -le -gt -ge ", op) && op[0] == '-';
}

static bool is_binary(const char *op)
{
    return strcmp(op, "=") == 0 || strcmp(op, "==") == 0 || strcmp(op, "!=") == 0 || is_number_operator(op);
}

static int test_binary(struct shell *sh, const char *left, const char *op, const char *right)
{
    if (is_number_operator(op))
        return test_numbers(sh, left, op, right);
    return (strcmp(left, right) == 0) != (op[0] == '=');
}

/* Split at the last -o, else the last -a, so that -a binds tighter; else it is one condition by its length.
 */
static int evaluate(struct shell *sh, int count, char **words)
{
    static const char *const joins[] = {"-o", "-a"};

    if (count == 0)
        return 1;
    if (count == 3 && is_binary(words[1]))
        return test_binary(sh, words[0], words[1], words[2]);
    for (int j = 0; j < 2; j++) {
        for (int i = count - 2; i > 0; i--) {
            if (strcmp(words[i], joins[j]) != 0)
                continue;
            int left = evaluate(sh, i, words), right = evaluate(sh, count - i - 1, words + i + 1);
            return left == WRONG || right == WRONG ? WRONG : j == 0 ? left && right : left || right;
        }
    }
    if (count > 1 && strcmp(words[0], "!") == 0) {
        int status = evaluate(sh, count - 1, words + 1);
        return status == WRONG ? WRONG : !status;
    }
    if (count == 1)
        return !*words[0];
    if (count == 2)
        return test_unary(sh, words[0], words[1]);
    shell_error(sh, "test: cannot make sense of '%s %s %s'", words[0], words[1], words[2]);
    return WRONG;
}

int builtin_test(struct shell *sh, int argc, char **argv)
{
    if (argv[0][0] == '[') {
        if (strcmp(argv[argc - 1], "]") != 0) {
            shell_error(sh, "[: the closing ] is missing");
            return WRONG;
        }
        argc--;
    }
    return evaluate(sh, argc - 1, argv + 1);
}
