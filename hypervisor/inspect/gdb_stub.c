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

    *r = (struct reply){0};
    gdb.packet_end = reader->data + reader->size;
    if (command && command->run)
        command->run(reader->data + strlen(command->word), r);
    else if (command)
        reply_text(r, "%s", command->answer);
    return !gdb.running;
}

void reply_errno(struct reply *r, int error)
{
    reply_text(r, "E%02x", error);
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

static void command_thread(const char *text, struct reply *r)
{
    struct vcpu *vcpu = take_thread(&text);

    if (vcpu)
        gdb.vcpu = vcpu;
    reply_text(r, vcpu ? "OK" : "E%02x", EINVAL);
}

GDB_COMMAND(packet_Hg) = {"Hg", .run = command_thread};

static void command_thread_alive(const char *text, struct reply *r)
{
    reply_text(r, take_thread(&text) ? "OK" : "E%02x", EINVAL);
}

GDB_COMMAND(packet_T) = {"T", .run = command_thread_alive};

static void query_threads(const char *text, struct reply *r)
{
    (void)text;
    for (unsigned i = 0; i < gdb.vm->cpus; i++)
        reply_text(r, "%c%x", i ? ',' : 'm', i + 1);
}

GDB_COMMAND(packet_qfThreadInfo) = {"qfThreadInfo", .run = query_threads};

GDB_COMMAND(packet_qsThreadInfo) = {"qsThreadInfo", .answer = "l"};

static void query_thread_name(const char *text, struct reply *r)
{
    static const char *const states[] = {"running", "not started", "INIT received", "halted",
                                         "SIPI received"};
    struct kvm_mp_state state = {0};
    const struct vcpu *vcpu = take_thread(&text);
    char name[64];

    if (!vcpu)
        return;
    ioctl(vcpu->fd, KVM_GET_MP_STATE, &state);
    int n = snprintf(name, sizeof name, "vCPU %u: %s", vcpu->id,
                     state.mp_state < COUNT(states) ? states[state.mp_state] : "?");
    reply_hex(r, name, (size_t)n);
}

GDB_COMMAND(packet_qThreadExtraInfo) = {"qThreadExtraInfo,", .run = query_thread_name};

static void query_current_thread(const char *text, struct reply *r)
{
    (void)text;
    reply_text(r, "QC%x", gdb.vcpu->id + 1);
}

GDB_COMMAND(packet_qC) = {"qC", .run = query_current_thread};
