"""virtq: the rings between Moss and the devices, drawn from Moss's memory."""

import gdb
import kernel

NEXT, WRITE, INDIRECT = 1, 2, 4  # flags of a descriptor (virtio 1.2 2.7.5)
CHAINS_MOST = 16
COLUMNS = 64


def devices():
    """Moss's struct virtio_device of each device that has an interrupt line."""
    handler = kernel.variable("drivers/virtio_mmio.c", "interrupt")
    kind = kernel.type_of(handler, "struct virtio_device")
    lines = kernel.variable("kernel/irq.c", "lines")
    for number in range(lines.type.range()[1] + 1):
        if int(lines[number]["handler"]) == int(handler.address) and int(lines[number]["arg"]):
            yield number, lines[number]["arg"].cast(kind.pointer()).dereference()


def descriptor(queue, index):
    """Descriptor `index` of the queue, or None."""
    return queue["descriptors"][index] if index < int(queue["size"]) else None


def piece(part):
    flags = int(part["flags"])
    return "%x+%d%s" % (int(part["address"]), int(part["length"]), " W" if flags & WRITE else "")


def indirect(part, kind):
    """The descriptors of an indirect table (2.7.5.3), which is reached by its physical address."""
    count = int(part["length"]) // kind.sizeof
    found = []
    with kernel.physical():
        try:
            data = kernel.read(int(part["address"]), min(count, 16) * kind.sizeof)
        except gdb.MemoryError:
            return ["THE TABLE IS NOT IN MEMORY"]
    for at in range(0, len(data), kind.sizeof):
        field = {name: int.from_bytes(data[at + kernel.offset(kind, name):][:kind[name].type.sizeof], "little")
                 for name in ("address", "length", "flags")}
        found.append(piece(field))
    return found


def chain(queue, head):
    """The buffers of the chain that begins with descriptor `head`, in words."""
    index, parts, kind = head, [], queue["descriptors"].type.target()
    for _ in range(int(queue["size"])):
        part = descriptor(queue, index)
        if part is None:
            return " -> ".join(parts + ["descriptor %d IS NOT IN THE TABLE" % index])
        if int(part["flags"]) & INDIRECT:
            parts.append("table at %x {%s}" % (int(part["address"]), " -> ".join(indirect(part, kind))))
        else:
            parts.append("[%d] %s" % (index, piece(part)))
        if not int(part["flags"]) & NEXT:
            return " -> ".join(parts)
        index = int(part["next"])
    return " -> ".join(parts[:4] + ["AND SO ON, IN A CIRCLE"])


def distance(later, earlier):
    """Between two indices, which only grow, and wrap after 65535."""
    return (int(later) - int(earlier)) & 0xffff


def draw_ring(size, taken, used, added):
    """A character for each place: `taken` are positions up to which the driver has taken answers back, and so on."""
    marks = ["."] * size
    for position in range(distance(used, taken)):
        marks[(taken + position) % size] = "u"
    for position in range(distance(added, used)):
        marks[(used + position) % size] = "A"
    for at in range(0, size, COLUMNS):
        print("    %4d [%s]" % (at, "".join(marks[at:at + COLUMNS])))


def show_queue(queue):
    size, taken, added = int(queue["size"]), int(queue["next_used"]), int(queue["next_added"])
    offered, used = int(queue["available"]["index"]), int(queue["used"]["index"])
    print("  queue %d: %d places; descriptors %#x, available ring %#x, used ring %#x" % (
        int(queue["number"]), size, int(queue["descriptors"]), int(queue["available"]), int(queue["used"])))
    print("    driver: added %d, taken back %d; rings: available index %d, used index %d; %d chains with the device" % (
        added, taken, offered, used, int(queue["in_flight"])))
    if size == 0 or max(distance(used, taken), distance(offered, used)) > size:
        print("    THE INDICES MAKE NO SENSE: no more than %d chains can be under way" % size)
        return
    draw_ring(size, taken, used, offered)
    waiting = distance(offered, used)
    for position in range(min(waiting, CHAINS_MOST)):
        head = int(queue["available"]["ring"][(used + position) % size])
        print("      chain %3d: %s" % (head, chain(queue, head)))
    if waiting > CHAINS_MOST:
        print("      ... and %d more" % (waiting - CHAINS_MOST))


@kernel.command
class Virtq(kernel.Command):
    """Draw the virtqueues of a device, or of all: what Moss has offered, what the device has used, and the chains between.

    A: offered to the device, which has not used it yet   u: used; the driver has not taken it back yet   .: free
    Of each chain under way: [descriptor] physical address + length, W where the device writes. Devices may use chains in
    another order than they were offered in; then A marks how many are left, not which.
    What the device thinks of the same queue: `monitor virtq`.
    To read: virtio 1.2 2.7, guestos/include/virtqueue.h.
    usage: virtq [DEVICE]      a name, such as virtio-blk, or the beginning of one"""

    name = "virtq"

    def run(self, words):
        if len(words) > 1:
            raise self.usage()
        names = []
        for line, device in devices():
            name = kernel.array_text(device["name"])
            names.append(name.split()[0])
            if words and not name.startswith(words[0]):
                continue
            print("%s, interrupt line %d" % (name, line))
            if int(device["failure"]):
                print("  Moss does not use it any more: it %s" % kernel.text(device["failure"]))
            queues = device["queues"]
            for number in range(queues.type.range()[1] + 1):
                if int(queues[number]):
                    show_queue(queues[number].dereference())
        if not names:
            raise gdb.GdbError("Moss has found no virtio devices (yet): its drivers start with virtio_init")
        if words and not any(name.startswith(words[0]) for name in names):
            raise gdb.GdbError("there is no device %s; there are: %s" % (words[0], ", ".join(names)))
