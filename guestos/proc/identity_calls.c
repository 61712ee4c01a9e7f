/* System calls about users and groups. Moss has one of each, 0, as a Linux user namespace that maps nothing
 * else. */
#include "errno.h"
#include "syscall.h"
#include "user.h"

#define UNCHANGED UINT32_MAX

/* Become this user (or group): any but 0 is not valid here. */
static ssize_t sys_setuid(uint32_t id)
{
    return id == 0 ? 0 : -EINVAL;
}

static ssize_t sys_setreuid(uint32_t real, uint32_t effective)
{
    return (real == 0 || real == UNCHANGED) && (effective == 0 || effective == UNCHANGED) ? 0 : -EINVAL;
}

static ssize_t sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return saved == 0 || saved == UNCHANGED ? sys_setreuid(real, effective) : -EINVAL;
}

static ssize_t sys_getresuid(uint64_t real, uint64_t effective, uint64_t saved)
{
    bool given = clear_user(real, 4) == 0 && clear_user(effective, 4) == 0 && clear_user(saved, 4) == 0;

    return given ? 0 : -EFAULT;
}

/* Returns the one before, which is always 0. */
static ssize_t sys_setfsuid(void)
{
    return 0;
}

/* The supplementary groups: root is in its own group, 0. */
static ssize_t sys_getgroups(int size, uint64_t to)
{
    if (size < 0)
        return -EINVAL;
    if (size > 0 && clear_user(to, 4) != 0)
        return -EFAULT;
    return 1;
}

static ssize_t sys_setgroups(int size, uint64_t from)
{
    uint32_t group;

    if (size < 0 || size > 65536)
        return -EINVAL;
    for (int i = 0; i < size; i++) {
        if (copy_from_user(&group, from + i * sizeof(group), sizeof(group)) != 0)
            return -EFAULT;
        if (group != 0)
            return -EINVAL;
    }
    return 0;
}

/* Groups are as users. */
SYSCALL_AS(105, sys_setuid, setuid);
SYSCALL_AS(106, sys_setuid, setgid);
SYSCALL_AS(113, sys_setreuid, setreuid);
SYSCALL_AS(114, sys_setreuid, setregid);
SYSCALL(115, sys_getgroups);
SYSCALL(116, sys_setgroups);
SYSCALL_AS(117, sys_setresuid, setresuid);
SYSCALL_AS(118, sys_getresuid, getresuid);
SYSCALL_AS(119, sys_setresuid, setresgid);
SYSCALL_AS(120, sys_getresuid, getresgid);
SYSCALL_AS(122, sys_setfsuid, setfsuid);
SYSCALL_AS(123, sys_setfsuid, setfsgid);
