/*
 * Wake every thread in `sleepers` whose wake_at has come (clock_ns()), and take it out of the list.
 * sleep_lock guards the list. Handout, section 4.12.
 */
void wake_sleepers(void)
{
    lab_todo(5, "wake_sleepers", "handout section 4.12");
}

/*
 * The current thread is about to look at a condition, and to sleep if it does not hold: from now on
 * wake_all(queue) finds it. It enters the queue (wait_link, at the end) and is THREAD_WAITING
 * (set_waiting()). With a deadline other than NEVER it is among the sleepers, too (wake_at, sleep_link). It
 * may be in both lists already. queue->lock and sleep_lock guard them. Handout, section 4.11.
 */
void wait_prepare(struct wait_queue *queue, uint64_t deadline)
{
    (void)queue, (void)deadline, (void)set_waiting, (void)sleepers, (void)sleep_lock; /* yours to use */
    lab_todo(5, "wait_prepare", "handout section 4.11");
}

/*
 * The wait is over, whether the thread slept or not: undo all that wait_prepare() did. Handout, section 4.11.
 */
void wait_finish(struct wait_queue *queue)
{
    (void)queue, (void)set_waiting; /* yours to use */
    lab_todo(5, "wait_finish", "handout section 4.11");
}
