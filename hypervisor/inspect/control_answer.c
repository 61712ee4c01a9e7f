/* The control socket's requests: read, carried out while the vCPUs stand still, answered. */
#include <stdlib.h>
#include "control.h"
#include "json.h"

/* Read {"command": ..., "arguments": [...]}. Returns NULL, or what was expected instead. */
static const char *read_request(struct request *request, const char *line, size_t size)
{
    struct json j = json_text(line, size);
    char key[16];

    *request = (struct request){0};
    for (json_begin(&j, '{'); json_key(&j, key, sizeof key);) {
        unsigned count = 0;
        if (strcmp(key, "command") == 0)
            json_string(&j, request->command, sizeof request->command);
        else if (strcmp(key, "arguments") == 0)
            for (json_begin(&j, '['); json_item(&j) && count < CONTROL_ARGUMENTS; count++)
                json_string(&j, request->arguments[count], sizeof request->arguments[count]);
        else
            json_skip(&j);
    }
    return json_done(&j) ? NULL : j.error;
}

static const struct control *find(const char *name)
{
    for (struct control **c = __start_controls; c < __stop_controls; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

/* Whether all vCPU threads are there to be held; somebody may ask before they are. */
static bool started(struct vm *vm)
{
    bool all = true;

    pthread_mutex_lock(&vm->run_lock);
    for (unsigned i = 0; i < vm->cpus; i++)
        all = all && vm->vcpus[i] && vm->vcpus[i]->started;
    pthread_mutex_unlock(&vm->run_lock);
    return all;
}

/* Have the command look at a machine that stands still. */
static bool run_held(struct vm *vm, const struct control *control, const struct request *request, FILE *out)
{
    if (!started(vm))
        return fputs("the guest has not started yet", out), false;
    vm_freeze(vm);
    pthread_mutex_lock(&vm->lock);
    bool good = control->run(vm, request, out);
    pthread_mutex_unlock(&vm->lock);
    vm_thaw(vm);
    return good;
}

static bool carry_out(struct vm *vm, const char *line, size_t size, FILE *out)
{
    struct request request;
    const char *wanted = read_request(&request, line, size);
    const struct control *control = find(request.command);

    if (wanted)
        return fprintf(out, "the request is not as control.h says: there should be %s", wanted), false;
    if (!control)
        return fprintf(out, "unknown command '%s'; 'help' lists the commands", request.command), false;
    return run_held(vm, control, &request, out);
}

void control_answer(struct vm *vm, const char *line, size_t size, FILE *out)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    bool good = memory && carry_out(vm, line, size, memory);

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

    *number = *argument ? strtoull(argument, &end, 0) : otherwise;
    return !*argument || (*end == '\0' && *argument != '-');
}

struct vcpu *control_vcpu(struct vm *vm, const char *argument, FILE *out)
{
    uint64_t id;

    if (control_number(argument, 0, &id) && id < vm->cpus)
        return vm->vcpus[id];
    fprintf(out, "there is no vCPU '%s'; there are %u, from 0 on", argument, vm->cpus);
    return NULL;
}

static bool help(struct vm *vm, const struct request *request, FILE *out)
{
    (void)vm, (void)request;
    for (struct control **c = __start_controls; c < __stop_controls; c++)
        fprintf(out, "%-8s %-18s %s\n", (*c)->name, (*c)->synopsis, (*c)->help);
    return true;
}

CONTROL(help_control) = {.name = "help", .synopsis = "", .help = "what can be asked for", .run = help};
