/* The commands of gdb's remote protocol: finding the one that a packet has, and those about threads. What is
 * not known gets an empty answer, and gdb does without (GDB manual, appendix E.1). */
#include "gdb.h"

struct gdb gdb;

extern struct gdb_command *__start_gdb_commands[], *__stop_gdb_commands[];

/* The longest word that the packet begins with: "vCont?" is not "vCont". */
static const struct gdb_command *command_find(const char *text)
{
    const struct gdb_command *best = NULL;

    for (struct gdb_command **c = __start_gdb_commands; c < __stop_gdb_commands; c++)
        if (take_word(&(const char *){text}, (*c)->word) &&
            (!best || strlen((*c)->word) > strlen(best->word)))
            best = *c;
    return best;
}

bool gdb_command(struct packet_reader *reader, struct reply *r)
{
    const struct gdb_command *command = command_find(reader->data);
    int err = 0;

    *r = (struct reply){0};
    gdb.packet_end = reader->data + reader->size;
    if (command && command->run)
        err = command->run(reader->data + strlen(command->word), r);
    if (err)
        reply_text(r, "E%02x", err);
    else if (command && command->answer)
        reply_text(r, "%s", command->answer);
    return !gdb.running;
}

/* ---- Threads: vCPU n is thread n + 1 ---- */

struct vcpu *take_thread(const char **text)
{
    uint64_t id;

    if (take_word(text, "-1"))
        return gdb.vcpu;
    if (!take_number(text, &id) || id > gdb.vm->cpus)
        return NULL;
    return id == 0 ? gdb.vcpu : gdb.vm->vcpus[id - 1];
}

static int command_thread(const char *text, struct reply *r)
{
    struct vcpu *vcpu = take_thread(&text);

    (void)r;
    if (vcpu)
        gdb.vcpu = vcpu;
    return vcpu ? 0 : EINVAL;
}

GDB_COMMAND(packet_Hg) = {"Hg", .run = command_thread, .answer = "OK"};

static int command_thread_alive(const char *text, struct reply *r)
{
    (void)r;
    return take_thread(&text) ? 0 : EINVAL;
}

GDB_COMMAND(packet_T) = {"T", .run = command_thread_alive, .answer = "OK"};

static int query_threads(const char *text, struct reply *r)
{
    (void)text;
    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        reply_text(r, "%c%x", i ? ',' : 'm', i + 1);
    return 0;
}

GDB_COMMAND(packet_qfThreadInfo) = {"qfThreadInfo", .run = query_threads};

GDB_COMMAND(packet_qsThreadInfo) = {"qsThreadInfo", .answer = "l"};

static int query_thread_name(const char *text, struct reply *r)
{
    static const char *const states[] = {"running", "not started", "INIT received", "halted",
                                         "SIPI received"};
    struct kvm_mp_state state = {0};
    const struct vcpu *vcpu = take_thread(&text);
    char name[64];

    if (!vcpu)
        return EINVAL;
    ioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
    int n = snprintf(name, sizeof name, "vCPU %u: %s", vcpu->id,
                     state.mp_state < COUNT(states) ? states[state.mp_state] : "?");
    reply_hex(r, name, (size_t)n);
    return 0;
}

GDB_COMMAND(packet_qThreadExtraInfo) = {"qThreadExtraInfo,", .run = query_thread_name};
