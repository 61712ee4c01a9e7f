/* `--trace-only`: which exits and which events of the guest are recorded. */
#include <ctype.h>
#include <stdio.h>
#include "trace.h"

#define ALL_REASONS UINT64_MAX
#define WORD_MAX    32

const char *const trace_kind_names[TRACE_KINDS] = {"exit",  "console",   "syscall", "switch",
                                                   "fault", "interrupt", "name"};

const char *trace_reason(unsigned reason, char *word)
{
    static const char prefix[] = "KVM_EXIT_";
    const char *name = strstr(exit_reason_name(reason), prefix);
    unsigned length = 0;

    if (!name)
        name = "KVM_EXIT_OTHER";
    for (name += strlen(prefix); (isalpha(*name) || *name == '_') && length < WORD_MAX - 1; name++)
        word[length++] = *name == '_' ? '-' : (char)tolower(*name);
    word[length] = '\0';
    return word;
}

const char *trace_device(const struct vm *vm, const struct trace_event *exit)
{
    const struct bus *bus = exit->reason == KVM_EXIT_MMIO ? &vm->mmio : &vm->ports;

    if (exit->reason != KVM_EXIT_IO && exit->reason != KVM_EXIT_MMIO)
        return NULL;
    for (const struct bus_claim *c = bus->claims; c < bus->claims + bus->count; c++)
        if (exit->addr - c->base < c->size)
            return c->name;
    return NULL;
}

static bool is_device(const struct vm *vm, const char *word)
{
    for (unsigned i = 0; i < vm->ports.count; i++)
        if (strcmp(vm->ports.claims[i].name, word) == 0)
            return true;
    for (unsigned i = 0; i < vm->mmio.count; i++)
        if (strcmp(vm->mmio.claims[i].name, word) == 0)
            return true;
    return false;
}

/* The bits of the exit reasons with that word: one or none, or for "other" all that have no name. */
static uint64_t reasons_of(const char *word)
{
    uint64_t reasons = 0;
    char name[WORD_MAX];

    for (unsigned reason = 0; reason < EXIT_REASONS; reason++)
        if (strcmp(trace_reason(reason, name), word) == 0)
            reasons |= 1ul << reason;
    return reasons;
}

static uint32_t kinds_of(const char *word)
{
    for (unsigned kind = 0; kind < TRACE_KINDS; kind++)
        if (strcmp(trace_kind_names[kind], word) == 0)
            return 1u << kind;
    return 0;
}

static int filter_word(struct trace_filter *filter, struct vm *vm, const char *word)
{
    uint32_t kinds = kinds_of(word);
    uint64_t reasons = kinds == 1u << TRACE_EXIT ? ALL_REASONS : reasons_of(word);
    bool device = !kinds && !reasons && is_device(vm, word);

    if (!kinds && !reasons && !device)
        return complain(
            -EINVAL,
            "--trace-only %s: it is no exit reason (io, mmio, hlt, ...), no event (exit, console, "
            "syscall, switch, fault, interrupt) and no device of this machine (see --stats)",
            word);
    filter->kinds |= kinds;
    filter->reasons |= reasons;
    if (!device)
        return 0;
    size_t used = strlen(filter->devices);
    int length = snprintf(filter->devices + used, sizeof filter->devices - used, ",%s,", word);
    return (size_t)length < sizeof filter->devices - used ? 0 : complain(-EINVAL, "--trace-only is too long");
}

int trace_filter_parse(struct trace_filter *filter, struct vm *vm, const char *words)
{
    filter->kinds = words ? 0 : UINT32_MAX;
    filter->reasons = words ? 0 : ALL_REASONS;
    filter->devices[0] = '\0';
    while (words && *words) {
        char word[WORD_MAX];
        size_t length = strcspn(words, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        int err = filter_word(filter, vm, word);
        if (err < 0)
            return err;
        words += length + (words[length] == ',');
    }
    return 0;
}

bool trace_wants(const struct trace_filter *filter, struct vm *vm, const struct trace_event *exit)
{
    if (filter->reasons >> exit->reason % EXIT_REASONS & 1 || !filter->devices[0])
        return filter->reasons >> exit->reason % EXIT_REASONS & 1;
    char word[WORD_MAX + 2];
    snprintf(word, sizeof word, ",%s,", trace_device(vm, exit) ?: "nobody");
    return strstr(filter->devices, word);
}
