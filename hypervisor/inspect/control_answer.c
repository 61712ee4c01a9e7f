/* The control socket's requests: read, carried out while the vCPUs stand still, answered. */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include "control.h"
#include "json.h"

static const char form[] =
    "a request is a line of JSON like {\"command\": \"walk\", \"arguments\": [\"0x1000\"]}, "
    "with at most 4 arguments, which are strings";

/* Have the arguments point into the list. Returns whether it is one. */
static bool read_arguments(const json_t *list, const char *arguments[CONTROL_ARGUMENTS])
{
    for (size_t i = 0; i < CONTROL_ARGUMENTS; i++)
        arguments[i] = i < json_array_size(list) ? json_string_value(json_array_get(list, i)) : "";
    for (size_t i = 0; i < CONTROL_ARGUMENTS; i++)
        if (!arguments[i])
            return false;
    return !list || (json_is_array(list) && json_array_size(list) <= CONTROL_ARGUMENTS);
}

/* Whether the vCPU threads are there to be held (they start together); somebody may ask before they are. */
static bool started(struct vm *vm)
{
    pthread_mutex_lock(&vm->run_lock);
    bool started = vm->vcpus[0]->started;
    pthread_mutex_unlock(&vm->run_lock);
    return started;
}

/* Have the command look at a machine that stands still. */
static bool run_held(struct vm *vm, const struct control *control, const char *const *arguments, FILE *out)
{
    if (!started(vm))
        return fputs("the guest has not started yet", out), false;
    vm_freeze(vm);
    pthread_mutex_lock(&vm->lock);
    bool good = control->run(vm, arguments, out);
    pthread_mutex_unlock(&vm->lock);
    vm_thaw(vm);
    return good;
}

const struct control *control_find(const char *name)
{
    for (struct control **c = __start_controls; c < __stop_controls; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

static bool carry_out(struct vm *vm, const json_t *request, FILE *out)
{
    const char *name = json_string_value(json_object_get(request, "command")), *arguments[CONTROL_ARGUMENTS];

    if (!name || !read_arguments(json_object_get(request, "arguments"), arguments))
        return fputs(form, out), false;
    const struct control *control = control_find(name);
    if (!control)
        return fprintf(out, "unknown command '%s'; 'help' lists the commands", name), false;
    return run_held(vm, control, arguments, out);
}

void control_answer(struct vm *vm, const char *line, size_t size, FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    json_t *request = json_loadb(line, size, 0, NULL);
    bool good = memory && carry_out(vm, request, memory);

    json_decref(request);
    if (memory)
        fclose(memory);
    fprintf(out, "{\"ok\":%s,\"%s\":", good ? "true" : "false", good ? "text" : "error");
    json_put(out, text ?: "", length);
    fputs("}\n", out);
    free(text);
}

bool control_number(const char *argument, uint64_t otherwise, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = *argument ? strtoul(argument, &end, 0) : otherwise;
    return !*argument || (isdigit((unsigned char)*argument) && !*end && !errno);
}

struct vcpu *control_vcpu(struct vm *vm, const char *argument, FILE *out)
{
    uint64_t id;

    if (control_number(argument, 0, &id) && id < vm->cpus)
        return vm->vcpus[id];
    fprintf(out, "there is no vCPU '%s'; there are %u, from 0 on", argument, vm->cpus);
    return NULL;
}

void control_list(FILE *out)
{
    for (struct control **c = __start_controls; c < __stop_controls; c++)
        fprintf(out, "  %-8s %-18s %s\n", (*c)->name, (*c)->synopsis, (*c)->help);
}

static bool help(struct vm *vm, const char *const *arguments, FILE *out)
{
    (void)vm, (void)arguments;
    control_list(out);
    return true;
}

CONTROL(help_control) = {"help", "", "this list", help};
