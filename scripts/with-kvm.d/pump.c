/* Moves bytes between descriptors for the relay and the agent. */
#include "pump.h"

#include <errno.h>
#include <unistd.h>

void pump_init(struct pump *pump, int from, int to, size_t write_limit)
{
    pump->from = from;
    pump->to = to;
    pump->write_limit = write_limit;
    pump->total = 0;
    pump->limit = UINT64_MAX;
    pump->ended = from < 0;
    pump->broken = false;
    pump->start = pump->end = 0;
}

static bool wants_to_read(const struct pump *pump)
{
    return pump->start == pump->end && !pump->ended && pump->total < pump->limit;
}

void pump_wait(const struct pump *pump, struct pollfd *wait)
{
    /* Only the descriptor that is needed next: poll() reports a hang-up of any other again and again. */
    if (pump->start < pump->end)
        *wait = (struct pollfd){.fd = pump->to, .events = POLLOUT};
    else
        *wait = (struct pollfd){.fd = wants_to_read(pump) ? pump->from : -1, .events = POLLIN};
}

static void fill(struct pump *pump)
{
    uint64_t left = pump->limit - pump->total;
    size_t size = left < sizeof(pump->buffer) ? (size_t)left : sizeof(pump->buffer);
    ssize_t n = read(pump->from, pump->buffer, size);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* an error is an end too: a terminal that is gone says EIO */
        pump->ended = true;
        return;
    }
    pump->total += (uint64_t)n;
    pump->start = 0;
    pump->end = pump->broken ? 0 : (size_t)n;
}

static void drain(struct pump *pump)
{
    size_t size = pump->end - pump->start;
    ssize_t n =
        write(pump->to, pump->buffer + pump->start, size < pump->write_limit ? size : pump->write_limit);

    if (n >= 0) {
        pump->start += (size_t)n;
    } else if (errno != EAGAIN && errno != EINTR) {
        pump->broken = true;
        pump->start = pump->end;
    }
}

void pump_step(struct pump *pump, short revents)
{
    if (!revents)
        return;
    if (pump->start == pump->end) {
        fill(pump);
    } else {
        drain(pump);
    }
}

void pump_cut(struct pump *pump)
{
    pump->ended = true;
    pump->broken = true;
    pump->total -= pump->end - pump->start;
    pump->start = pump->end = 0;
}

bool pump_done(const struct pump *pump)
{
    return pump->start == pump->end && (pump->ended || pump->total >= pump->limit);
}
