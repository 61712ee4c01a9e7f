/* The table of interrupt lines. It is filled by drivers before there is a controller to raise any. */
#include "errno.h"
#include "irq.h"

static struct {
    void (*handler)(void *arg);
    void *arg;
} lines[IRQ_LINES];

static void (*unmask_line)(unsigned line);

int irq_claim(unsigned line, void (*handler)(void *arg), void *arg)
{
    if (line >= IRQ_LINES)
        return -EINVAL;
    if (lines[line].handler)
        return -EBUSY;
    lines[line].arg = arg;
    lines[line].handler = handler;
    if (unmask_line)
        unmask_line(line);
    return 0;
}

bool irq_dispatch(unsigned line)
{
    if (line >= IRQ_LINES || !lines[line].handler)
        return false;
    lines[line].handler(lines[line].arg);
    return true;
}

void irq_set_controller(void (*unmask)(unsigned line))
{
    unmask_line = unmask;
    for (unsigned line = 0; line < IRQ_LINES; line++)
        if (lines[line].handler)
            unmask(line);
}
