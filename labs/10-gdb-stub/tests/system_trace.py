"""Traces of a running guest: valid JSON, complete, and filtered as asked."""

import collections
import json
import os
import re
import subprocess
import tempfile
import unittest
from tests.support import moss

TERRARIUM = os.path.join(moss.BUILD, "terrarium")
HELLO = os.path.join(moss.BUILD, "hello.bin")
SCRIPT = b"ls /bin\nsleep 0.1\necho one | cat\nexit 3\n"


def stats(stderr):
    """What --stats printed: ({vCPU: exits}, {reason: exits}, {device: accesses})."""
    text = stderr.decode(errors="replace")
    vcpus = {int(vcpu): int(exits) for vcpu, exits in re.findall(r"vCPU (\d+): (\d+) exits", text)}
    reasons, devices = collections.Counter(), collections.Counter()
    for count, name in re.findall(r"^ *(\d+) +[\d.]+ ms +[\d.]+ us  (.*)$", text, re.M):
        reason = re.search(r"\(KVM_EXIT_(\w+)\)", name)
        if reason:
            reasons[reason.group(1).lower().replace("_", "-")] += int(count)
        else:
            devices[name] += int(count)
    return vcpus, dict(reasons), dict(devices)


class Trace:
    """A trace file, read: events by category, totals."""

    def __init__(self, path):
        with open(path) as file:
            data = json.load(file)
        self.totals = data["otherData"]
        self.events = data["traceEvents"]

    def of(self, category):
        return [event for event in self.events if event["cat"] == category]

    def counts(self, key):
        """The exits by an argument: "reason" or "device"."""
        return dict(collections.Counter(e["args"][key] for e in self.of("exit") if key in e["args"]))


class Traces(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "trace.json")

    def moss(self, *options, script=SCRIPT, status=3, **how):
        result = moss.run(script, "--trace", self.path, "--stats", *options, **how)
        self.assertEqual(result.status, status, result.words)
        return result, Trace(self.path)

    def hello(self, *options, status=0):
        done = subprocess.run([TERRARIUM, "run", "--flat", HELLO, *options], capture_output=True, timeout=60 * moss.SCALE,
                              check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def check_console(self, result, trace):
        text = "".join(event["args"]["text"] for event in trace.of("console"))
        self.assertEqual(text.encode("latin-1"), result.stdout, "what was printed is in the trace")

    def test_every_exit_is_in_the_trace(self):
        result, trace = self.moss()
        self.check_console(result, trace)
        vcpus, reasons, devices = stats(result.stderr)
        self.assertEqual(trace.counts("reason"), reasons)
        self.assertEqual(trace.counts("device"), devices, "no string I/O here: an exit is an access")
        self.assertEqual(trace.totals["exits"], sum(vcpus.values()))
        self.assertEqual((trace.totals["dropped"], trace.totals["over_limit"]), (0, 0))
        end = 0
        for event in sorted(trace.of("exit"), key=lambda event: event["ts"]):
            self.assertGreaterEqual(event["ts"] + 0.001, end, "one vCPU handles one exit at a time")
            end = event["ts"] + event["dur"]
            self.assertIn("at", event["args"], "where the guest was")
        first, *others = trace.of("exit")
        self.assertNotIn("guest_us", first["args"], "there is no exit before the first")
        self.assertTrue(all(event["args"]["guest_us"] >= 0 for event in others))

    def test_an_exit_tells_what_moved_and_where_the_guest_was(self):
        result, trace = self.moss("--console", "serial")
        self.check_console(result, trace)
        exits = trace.of("exit")
        last = exits[-1]
        self.assertEqual((last["name"], last["args"]["value"], last["args"]["size"]), ("out exit-port", "0x3", 4))
        self.assertRegex(last["args"]["at"], r"power_off\+0x")
        sent = [int(e["args"]["value"], 16) for e in exits if e["args"].get("addr") == "0x3f8" and e["name"].startswith("out")]
        self.assertIn(b"cat\n", bytes(sent), "the bytes that went to the UART")

    def test_only_some_reasons_and_devices(self):
        result, trace = self.moss("--trace-only", "io,virtio-console")
        reasons, devices = stats(result.stderr)[1:]
        self.assertEqual(trace.counts("reason"), {"io": reasons["io"], "mmio": devices["virtio-console"]})
        self.assertEqual(trace.totals["refused"], sum(reasons.values()) - reasons["io"] - devices["virtio-console"])
        self.assertEqual(trace.of("console") + trace.of("syscall"), [])

    def test_every_nth(self):
        self.hello("--trace", self.path, "--trace-every", "7")
        trace = Trace(self.path)
        self.assertEqual([e["args"].get("value") for e in trace.of("exit")],
                         [hex(byte) for byte in b"Hello from a virtual machine.\n"[::7]])
        self.assertEqual([trace.totals[key] for key in ("exits", "refused", "skipped")], [31, 0, 26])

    def test_the_limit_is_kept_and_told(self):
        done = self.hello("--trace", self.path, "--trace-limit", "20", "--trace-only", "exit")
        trace = Trace(self.path)
        self.assertEqual(len(trace.events), 20)
        self.assertEqual(len(trace.of("exit")) + trace.totals["over_limit"], 31)
        self.assertIn(b"%d above --trace-limit" % trace.totals["over_limit"], done.stderr)

    def test_a_trace_changes_no_exit(self):
        plain = stats(self.hello("--stats").stderr)
        self.assertEqual(plain, stats(self.hello("--stats", "--trace", self.path).stderr))

    def test_a_death_is_the_last_exit(self):
        status = moss.run(b"", "--trace", self.path, append="demo=lose-idt").status
        self.assertEqual((status, Trace(self.path).of("exit")[-1]["name"]), (121, "shutdown"))

    def test_a_machine_after_a_reset_is_in_the_same_file(self):
        _, trace = self.moss(script=b"echo one\nreboot\n", status=0)
        self.assertEqual({event["pid"] for event in trace.of("exit")}, {1, 3})
        self.assertEqual(trace.of("exit")[-1]["pid"], 3)
        times = [event["ts"] for event in trace.of("exit")]
        self.assertEqual(times, sorted(times), "one clock: the second machine comes after the first")
        self.assertEqual(trace.totals["exits"], len(trace.of("exit")), "totals of both")

    def test_moss_tells_its_own_events(self):
        result, trace = self.moss(append="trace")
        calls = collections.Counter(event["name"] for event in trace.of("syscall"))
        self.assertGreaterEqual(calls["execve"], 4, "init, sh, ls, sleep, cat")
        self.assertGreaterEqual(calls["clone"] + calls["fork"] + calls["vfork"], 3, calls)
        self.assertIn("timer", {event["name"] for event in trace.of("interrupt")})
        self.assertIn("page fault", {event["name"] for event in trace.of("fault")})
        sleeps = [event for event in trace.of("syscall") if "nanosleep" in event["name"]]
        self.assertTrue(sleeps and sleeps[0]["dur"] >= 90000, "sleep 0.1 lasts about 0.1 s of guest time: %s" % sleeps)
        end = 0  # ns; of two slices that overlap on a track without one being in the other Perfetto does not show both there
        for event in sorted(trace.of("switch"), key=lambda event: event["ts"]):
            self.assertGreaterEqual(round(event["ts"] * 1000), end, "one thread has the CPU at a time")
            end = round(event["ts"] * 1000) + round(event["dur"] * 1000)
        switched = {event["name"] for event in trace.of("switch")}
        self.assertTrue({"init", "sh", "sleep"} <= switched, "those that waited gave the CPU to others: %s" % switched)
        names = {event["args"]["name"] for event in trace.of("__metadata") if event["pid"] == 2 and event["tid"] < 1000000}
        self.assertTrue({"init", "sh", "ls", "cat", "sleep"} <= names, "each process is named: %s" % names)
        self.assertEqual(trace.totals["lost_by_guest"], 0, "a full ring is an exit, so nothing is lost")
        told = len(trace.of("syscall")) + len(trace.of("switch")) + len(trace.of("fault")) + len(trace.of("interrupt"))
        doorbells = stats(result.stderr)[2]["trace-port"] - 2
        self.assertLessEqual(doorbells, told / 128, "an exit for a full ring, not for an event: %d events" % told)

    def test_moss_says_so_where_nobody_listens(self):
        self.assertIn(b"trace: nobody listens", moss.run(b"", append="trace").words)

    def test_words_that_mean_nothing_are_refused(self):
        for options, words in ((("--trace-only", "io"), b"add --trace FILE"),
                               (("--trace", self.path, "--trace-only", "disk"), b"--trace-only disk"),
                               (("--trace", self.path, "--trace-every", "0"), b"--trace-every 0")):
            self.assertIn(words, self.hello(*options, status=2).stderr)
        self.assertIn(b"/none/x", self.hello("--trace", "/none/x", status=120).stderr)


if __name__ == "__main__":
    unittest.main()
