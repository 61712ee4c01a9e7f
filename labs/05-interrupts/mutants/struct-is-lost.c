/* In: guestos/kernel/thread.c. Caught by: unit_thread.without_memory_there_is_no_thread. Mistake: without
 * a stack, the struct thread is not given back. */
struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *thread = kmalloc(sizeof(*thread));

    if (!thread)
        return NULL;
    thread_init(thread, name);
    thread->state = THREAD_NEW;
    thread->stack = map_alloc(STACK_PAGES);
    if (!thread->stack)
        return NULL;
    uint64_t *sp = (uint64_t *)(thread->stack + STACK_PAGES * PAGE_SIZE);
    *--sp = (uint64_t)thread_begin; /* its calls find the stack aligned to 16 bytes, as the ABI wants */
    *--sp = 0;                      /* rbp: a backtrace ends here */
    *--sp = 0;                      /* rbx */
    *--sp = (uint64_t)fn;           /* r12 */
    *--sp = (uint64_t)arg;          /* r13 */
    *--sp = 0;                      /* r14 */
    *--sp = 0;                      /* r15 */
    thread->rsp = (uint64_t)sp;
    __atomic_fetch_add(&alive, 1, __ATOMIC_SEQ_CST);
    return thread;
}
