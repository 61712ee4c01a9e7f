/* printf-like formatting, the part of it that a kernel needs. */
#include "printk.h"
#include "string.h"

struct output {
    char *to;
    size_t size;
    size_t length; /* of the whole text, whether it fits or not */
};

struct spec {
    bool left, zero;
    int width, precision;
    int length; /* 0: int, 1: long */
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->to[out->length] = c;
    out->length++;
}

/* Put `n` bytes of text, padded to the width. */
static void put_text(struct output *out, const struct spec *spec, const char *text, int n)
{
    int pad = spec->width - n;

    for (; !spec->left && pad > 0; pad--)
        put(out, spec->zero ? '0' : ' ');
    for (int i = 0; i < n; i++)
        put(out, text[i]);
    for (; pad > 0; pad--)
        put(out, ' ');
}

static void put_number(struct output *out, struct spec *spec, uint64_t value, unsigned base, bool negative)
{
    char digits[24];
    int n = sizeof(digits);

    do {
        digits[--n] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative && spec->zero) { /* the sign goes before the zeros */
        put(out, '-');
        spec->width--;
    } else if (negative) {
        digits[--n] = '-';
    }
    put_text(out, spec, digits + n, sizeof(digits) - n);
}

static const char *parse_spec(struct spec *spec, const char *fmt, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (; *fmt == '-' || *fmt == '0'; fmt++)
        *(*fmt == '-' ? &spec->left : &spec->zero) = true;
    if (*fmt == '*') {
        spec->width = va_arg(*args, int);
        fmt++;
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        spec->width = spec->width * 10 + (*fmt - '0');
    if (*fmt == '.') {
        spec->precision = 0;
        for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
            spec->precision = spec->precision * 10 + (*fmt - '0');
    }
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        spec->length = 1;
    return fmt;
}

static void put_signed(struct output *out, struct spec *spec, int64_t value)
{
    put_number(out, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0);
}

static void put_string(struct output *out, const struct spec *spec, const char *s)
{
    if (!s)
        s = "(null)";
    put_text(out, spec, s, strnlen(s, spec->precision >= 0 ? (size_t)spec->precision : SIZE_MAX));
}

int vformat(char *to, size_t size, const char *fmt, va_list args)
{
    struct output out = {to, size, 0};
    struct spec spec;
    va_list ap;

    va_copy(ap, args);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&out, *fmt);
            continue;
        }
        fmt = parse_spec(&spec, fmt + 1, &ap);
        if (*fmt == 'd' || *fmt == 'i')
            put_signed(&out, &spec, spec.length ? va_arg(ap, long) : va_arg(ap, int));
        else if (*fmt == 'u' || *fmt == 'x')
            put_number(&out, &spec, spec.length ? va_arg(ap, unsigned long) : va_arg(ap, unsigned),
                       *fmt == 'x' ? 16 : 10, false);
        else if (*fmt == 'p')
            put_number(&out, &spec, (uint64_t)va_arg(ap, void *), 16, false);
        else if (*fmt == 'c')
            put_text(&out, &spec, &(char){va_arg(ap, int)}, 1);
        else if (*fmt == 's')
            put_string(&out, &spec, va_arg(ap, const char *));
        else if (*fmt)
            put(&out, *fmt);
        else
            break;
    }
    va_end(ap);
    if (size)
        to[MIN(out.length, size - 1)] = 0;
    return out.length;
}

int format(char *to, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vformat(to, size, fmt, args);
    va_end(args);
    return n;
}
