/* In: guestos/kernel/thread.c. Caught by: unit_thread.the_last_thread_ends_the_machine. Mistake: does not
 * count the thread. */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread = kmalloc(sizeof(*thread));

    if (!thread)
        return NULL;
    thread_init(thread, name);
    thread->state = THREAD_NEW;
    thread->stack = map_alloc(STACK_PAGES);
    if (!thread->stack) {
        kfree(thread);
        return NULL;
    }
    uint64_t *sp = (uint64_t *)(thread->stack + STACK_PAGES * PAGE_SIZE);
    *--sp = (uint64_t)thread_begin; /* its calls find the stack aligned to 16 bytes, as the ABI wants */
    *--sp = 0;                      /* rbp: a backtrace ends here */
    *--sp = 0;                      /* rbx */
    *--sp = (uint64_t)fn;           /* r12 */
    *--sp = (uint64_t)arg;          /* r13 */
    *--sp = 0;                      /* r14 */
    *--sp = 0;                      /* r15 */
    thread->rsp = (uint64_t)sp;
    return thread;
}
