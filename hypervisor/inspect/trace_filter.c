/* `--trace-only`: which exits and which events of the guest are recorded. */
#include <ctype.h>
#include <stdio.h>
#include "trace.h"

#define WORD_MAX 32

const char *const trace_kind_names[TRACE_KINDS] = {"exit",  "console",   "syscall", "switch",
                                                   "fault", "interrupt", "name"};

const char *trace_reason(unsigned reason)
{
    static __thread char word[WORD_MAX];
    static const char prefix[] = "KVM_EXIT_";
    const char *name = strstr(exit_reason_name(reason), prefix) ?: "KVM_EXIT_OTHER";
    unsigned length = 0;

    for (name += strlen(prefix); (isalpha(*name) || *name == '_') && length < WORD_MAX - 1; name++)
        word[length++] = *name == '_' ? '-' : (char)tolower(*name);
    word[length] = '\0';
    return word;
}

const char *trace_device(const struct trace_event *exit)
{
    const struct bus *bus = exit->reason == KVM_EXIT_MMIO ? &trace.vm->mmio : &trace.vm->ports;

    if (exit->reason != KVM_EXIT_IO && exit->reason != KVM_EXIT_MMIO)
        return NULL;
    for (const struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++)
        if (exit->addr - c->base < c->size)
            return c->name;
    return "nobody";
}

/* Whether the bus has a device of that name. */
static bool has_device(const struct bus *bus, const char *word)
{
    for (unsigned i = 0; i < bus->count; i++)
        if (strcmp(bus->claims[i].name, word) == 0)
            return true;
    return false;
}

static bool means_something(const char *word)
{
    bool known = has_device(&trace.vm->ports, word) || has_device(&trace.vm->mmio, word);

    for (unsigned kind = 0; kind < TRACE_NAME; kind++)
        known |= strcmp(trace_kind_names[kind], word) == 0;
    for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
        known |= strcmp(trace_reason(reason), word) == 0;
    return known;
}

int trace_filter_check(void)
{
    for (const char *words = trace.only; words; words = strchr(words, ',') ? strchr(words, ',') + 1 : NULL) {
        char word[WORD_MAX];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(words, ","), words);
        if (!means_something(word))
            return complain(
                -EINVAL,
                "--trace-only %s: it is no exit reason (io, mmio, hlt, ...), no event (exit, console, "
                "syscall, switch, fault, interrupt) and no device of this machine (see --stats)",
                word);
    }
    return 0;
}

/* Whether the word is among those of --trace-only. */
static bool listed(const char *word)
{
    size_t length = strlen(word);

    for (const char *at = trace.only; (at = strstr(at, word)); at++)
        if ((at == trace.only || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

bool trace_wants(const struct trace_event *event)
{
    if (!trace.only || event->kind == TRACE_NAME || listed(trace_kind_names[event->kind]))
        return true;
    if (event->kind != TRACE_EXIT)
        return false;
    const char *device = trace_device(event);
    return listed(trace_reason(event->reason)) || (device && listed(device));
}
