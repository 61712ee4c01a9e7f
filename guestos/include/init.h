/* Start-up calls: a file registers what it needs done; kmain runs all of them, level by level. */
#ifndef INIT_H
#define INIT_H

struct init_call {
    const char *name;
    void (*call)(void);
};

/* Levels, in the order in which they run. Within a level the order is that of the files in the link. */
#define INIT_CONSOLE 0 /* something to print on */
#define INIT_TRAPS   1 /* descriptor tables */
#define INIT_MEMORY  2 /* frames, page tables, heap */
#define INIT_IRQ     3 /* interrupt controllers */
#define INIT_TIME    4 /* clocks, tick, scheduler */
#define INIT_DRIVERS 5
#define INIT_FS      6
#define INIT_START   7 /* threads, the first process */
#define INIT_IDLE    8 /* all is started */

#define INIT_SECTION(level)  INIT_SECTION_(level)
#define INIT_SECTION_(level) "inits." #level

#define INIT(level, fn)                                                                                      \
    static const struct init_call init_##fn                                                                  \
        __attribute__((used, section(INIT_SECTION(level)), aligned(8))) = {#fn, fn}

#endif
