/*
 * The device has something to tell: note `reason` (VIRTIO_INTERRUPT_xxx) in InterruptStatus, and raise the
 * line, v->set_line(v, 1), unless a reason that the driver has not acknowledged holds it up. Virtio 1.2
 * §4.2.2 (InterruptStatus). Handout, section 4.5.
 */
void virtio_interrupt(struct virtio_device *v, uint32_t reason)
{
    (void)v, (void)reason;
    lab_todo(7, "virtio_interrupt", "handout section 4.5");
}

/*
 * The driver wrote `reasons` to InterruptACK: it has seen these. The line falls; if other reasons are left,
 * it rises again at once, so that a guest that takes the line for edge-triggered sees an edge. Virtio 1.2
 * §4.2.2 (InterruptACK). Handout, section 4.5.
 */
static void acknowledge(struct virtio_device *v, uint32_t reasons)
{
    (void)v, (void)reasons;
    lab_todo(7, "acknowledge", "handout section 4.5");
}

/*
 * Back to the beginning: no status, no interrupts, no features, nothing selected, no queue; if the device was
 * running, stop() it, which must find it not running any more; and the line is down. The configuration and
 * its generation stay. Virtio 1.2 §2.4, §4.2.2 (Status). Handout, section 4.1.
 */
static void reset(struct virtio_device *v)
{
    (void)v, (void)stop; /* yours to use */
    lab_todo(7, "reset", "handout section 4.1");
}

/*
 * The driver wrote `value` to Status. 0: reset(). Else bits that are set stay set, and each new one counts by
 * itself: ACKNOWLEDGE, DRIVER and FAILED are noted. FEATURES_OK is noted only if the accepted features
 * (state->features) have VERSION_1 and nothing that was not offered(). DRIVER_OK without FEATURES_OK breaks
 * the device (virtio_broken()); with it, it is noted, and if the device then is virtio_running(), it starts:
 * call v->running(v, true) and v->type->started(v), as far as there are such. Virtio 1.2 §2.1, §3.1.1.
 * Handout, section 4.2.
 */
static void write_status(struct virtio_device *v, uint32_t value)
{
    (void)v, (void)value, (void)reset; /* yours to use */
    lab_todo(7, "write_status", "handout section 4.2");
}

/*
 * The driver wrote `value` to DriverFeatures: half driver_features_select (0 or 1; there are no others) of
 * the features that it accepts. After FEATURES_OK they are settled. Virtio 1.2 §2.2, §4.2.2. Handout,
 * section 4.2.
 */
static void write_features(struct virtio_device *v, uint32_t value)
{
    (void)v, (void)value;
    lab_todo(7, "write_features", "handout section 4.2");
}
