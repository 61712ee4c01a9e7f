/* /proc: what ps, free and uptime read, in Linux's formats (proc(5)). */
#include "clock.h"
#include "errno.h"
#include "frames.h"
#include "heap.h"
#include "init.h"
#include "printk.h"
#include "process.h"
#include "procfs.h"
#include "string.h"

#define ROOT_INO     1
#define PID_INO(pid) ((uint64_t)(pid) << 8) /* of /proc/PID; its files follow */
#define TEXT_SIZE    4096

extern const struct procfile __start_procfiles[], __stop_procfiles[];

static struct mount proc_mount;

/* What a node shows: a file of the table, about a process (0: about the whole system). */
struct shown {
    const struct procfile *file;
    int pid;
};

static ssize_t show(const struct shown *shown, char *text)
{
    if (!shown->pid)
        return shown->file->show(NULL, text, TEXT_SIZE);
    spin_lock(&process_lock);
    struct process *process = process_find(shown->pid);
    ssize_t length = process ? shown->file->show(process, text, TEXT_SIZE) : -ESRCH;
    spin_unlock(&process_lock);
    return length;
}

static ssize_t proc_read(struct vnode *node, void *to, size_t n, uint64_t offset)
{
    struct shown *shown = node->data;
    char *text = kmalloc(TEXT_SIZE);

    if (!text)
        return -ENOMEM;
    ssize_t length = show(shown, text);
    if (length >= 0) {
        length = MIN(length, TEXT_SIZE);
        length = offset < (uint64_t)length ? (ssize_t)MIN(n, length - offset) : 0;
        memcpy(to, text + offset, length);
    }
    kfree(text);
    return length;
}

static void proc_release(struct vnode *node)
{
    if (node->parent)
        vnode_put(node->parent);
    kfree(node->data);
}

static const struct vnode_ops file_ops = {.read = proc_read, .release = proc_release};
static const struct vnode_ops directory_ops;

static struct vnode *make_node(const struct vnode_ops *ops, uint32_t mode, struct vnode *parent,
                               const struct procfile *file, int pid)
{
    struct vnode *node = vnode_create(ops, mode, &proc_mount);
    struct shown *shown = kmalloc(sizeof(*shown));

    if (!node || !shown) {
        kfree(node);
        kfree(shown);
        return NULL;
    }
    *shown = (struct shown){file, pid};
    node->data = shown;
    node->parent = parent ? vnode_get(parent) : NULL;
    node->ino = PID_INO(pid) + (file ? file - __start_procfiles + 2 : ROOT_INO);
    return node;
}

/* A directory's number: 0 for /proc itself. */
static int pid_of(const struct vnode *dir)
{
    return dir->data ? ((struct shown *)dir->data)->pid : 0;
}

static int parse_pid(const char *name)
{
    int pid = 0;

    if (strcmp(name, "self") == 0)
        return current_process()->pid;
    for (; *name >= '0' && *name <= '9' && pid < 1000000; name++)
        pid = pid * 10 + (*name - '0');
    return *name ? 0 : pid;
}

static bool process_exists(int pid)
{
    spin_lock(&process_lock);
    bool exists = process_find(pid);
    spin_unlock(&process_lock);
    return exists;
}

static int proc_lookup(struct vnode *dir, const char *name, struct vnode **out)
{
    int pid = pid_of(dir);
    int wanted = pid ? 0 : parse_pid(name);

    *out = NULL;
    if (wanted && process_exists(wanted)) {
        *out = make_node(&directory_ops, S_IFDIR | 0555, dir, NULL, wanted);
        return *out ? 0 : -ENOMEM;
    }
    for (const struct procfile *f = __start_procfiles; f < __stop_procfiles; f++) {
        if (f->per_process != (pid != 0) || strcmp(f->name, name) != 0)
            continue;
        *out = make_node(&file_ops, S_IFREG | 0444, dir, f, pid);
        return *out ? 0 : -ENOMEM;
    }
    return -ENOENT;
}

static int list_files(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    int pid = pid_of(dir);

    for (const struct procfile *f = __start_procfiles + from; f < __stop_procfiles; f++)
        if (f->per_process == (pid != 0) && !emit(arg, f->name, PID_INO(pid) + (f - __start_procfiles) + 2,
                                                  S_IFREG, f - __start_procfiles + 1))
            return 1;
    return 0;
}

/* The lowest process number that is greater than `after`, or 0. */
static int next_pid(int after)
{
    int best = 0;

    spin_lock(&process_lock);
    list_for_each (link, &processes) {
        int pid = list_entry(link, struct process, all)->pid;
        if (pid > after && (!best || pid < best))
            best = pid;
    }
    spin_unlock(&process_lock);
    return best;
}

/* Positions: first the files by their place in the table, then FIRST_PID + pid. */
#define FIRST_PID 1000

static int proc_readdir(struct vnode *dir, uint64_t from, dir_emit *emit, void *arg)
{
    char name[16];

    if (from < FIRST_PID && from < (uint64_t)(__stop_procfiles - __start_procfiles) &&
        list_files(dir, from, emit, arg) != 0)
        return 0;
    if (pid_of(dir))
        return 0;
    for (int pid = from < FIRST_PID ? 0 : (int)(from - FIRST_PID); (pid = next_pid(pid));) {
        format(name, sizeof(name), "%d", pid);
        if (!emit(arg, name, PID_INO(pid) + ROOT_INO, S_IFDIR, FIRST_PID + pid))
            break;
    }
    return 0;
}

static const struct vnode_ops directory_ops = {
    .lookup = proc_lookup, .readdir = proc_readdir, .release = proc_release};

static void procfs_init(void)
{
    struct vnode *root = root_directory(), *dir;

    mutex_lock(&tree_lock);
    int error = path_step(root, "proc", &dir);
    if (error)
        error = root->ops->create(root, "proc", S_IFDIR | 0555, NULL, &dir);
    mutex_unlock(&tree_lock);
    proc_mount = (struct mount){.source = "none", .type = "proc"};
    proc_mount.root = error ? NULL : make_node(&directory_ops, S_IFDIR | 0555, root, NULL, 0);
    if (!proc_mount.root || mount_add(&proc_mount, dir, "/proc") != 0)
        panic("no memory for /proc");
}

INIT(INIT_FS, procfs_init);

static int show_stat(struct process *p, char *to, size_t size)
{
    char state = p->zombie ? 'Z' : p->thread->state == THREAD_WAITING ? 'S' : 'R';
    uint64_t ticks = p->thread ? p->thread->ticks : 0;
    uint64_t pages = p->vm ? p->vm->resident : 0;

    return format(
        to, size,
        "%d (%s) %c %d %d %d 0 0 0 0 0 0 0 %lu 0 %lu 0 20 0 1 0 %lu %lu %lu 0 0 0 0 0 0 0 0 0 0 0 0 0 "
        "17 0 0 0 0 0 0\n",
        p->pid, p->name, state, p->parent ? p->parent->pid : 0, p->pgid, p->sid, ticks, p->children_ticks,
        p->started / (NS_PER_SECOND / TICKS_PER_SECOND), pages * PAGE_SIZE, pages);
}

static int show_cmdline(struct process *p, char *to, size_t size)
{
    size_t n = MIN(p->arguments_size, size);

    if (p->arguments)
        memcpy(to, p->arguments, n);
    return p->arguments ? n : 0;
}

static int show_meminfo(struct process *p, char *to, size_t size)
{
    uint64_t kib = PAGE_SIZE / 1024, total = frames_total() * kib, available = frames_free() * kib;

    (void)p;
    return format(to, size,
                  "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
                  "Buffers:               0 kB\nCached:                0 kB\n",
                  total, available, available);
}

static int show_uptime(struct process *p, char *to, size_t size)
{
    uint64_t hundredths = clock_ns() / (NS_PER_SECOND / 100);

    (void)p;
    return format(to, size, "%lu.%02lu 0.00\n", hundredths / 100, hundredths % 100);
}

PROCFILE(stat, "stat", true, show_stat);
PROCFILE(cmdline, "cmdline", true, show_cmdline);
PROCFILE(meminfo, "meminfo", false, show_meminfo);
PROCFILE(uptime, "uptime", false, show_uptime);
