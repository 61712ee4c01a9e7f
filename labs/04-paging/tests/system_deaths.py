"""Deaths that Moss dies on request (demo=NAME): the panic, or the post-mortem, must name the cause."""

import glob
import os
import re
import unittest
from tests.support import moss

TRIPLE_FAULT = 121  # terrarium's status


def lab():
    """The lab that the build is of: the whole kit has the newest."""
    name = os.path.basename(os.path.normpath(moss.BUILD))
    if name.startswith("lab"):
        return int(name[3:])
    return max(int(os.path.basename(path)[:2]) for path in glob.glob(os.path.join(moss.ROOT, "labs/[0-9][0-9]-*")))


class Deaths(moss.TestCase):
    def die(self, name, *options):
        """How it ended, and all that the machine printed."""
        initrd = "initrd.cpio" if lab() >= 6 else None
        with self.machine.session(*options, append="demo=" + name, initrd=initrd, results=lab() >= 6) as session:
            if name != "lose-idt":
                session.expect(b"Moss panics: ")
                session.expect(b"Called by:\n  ")
            status = session.wait()
        return status, session.screen.decode(errors="replace")

    def panics(self, name, explanation, function):
        status, text = self.die(name)
        self.assertIn(explanation, text)
        called_by = text[text.index("Called by:"):]
        self.assertRegex(called_by, r"[0-9a-f]{16} %s\+0x" % function, "the backtrace must name the function")
        self.assertEqual(status, self.machine.panic)

    def test_null(self):
        self.panics("null", "a NULL pointer", r"trap_common\+0x[0-9a-f]+\n  [0-9a-f]{16} write_null")

    def test_write_to_code(self):
        self.panics("write-code", "tried to write ffffffff80100000, which is mapped, but not for that", "write_code")

    def test_execute_data(self):
        self.panics("execute-data", "tried to execute", "demo")

    def test_stack_overflow(self):
        self.panics("overflow", "stack", "overflow_stack[.a-z0-9]*")

    @moss.only_terrarium
    def test_lost_idt_is_a_triple_fault_that_the_post_mortem_explains(self):
        status, text = self.die("lose-idt")
        self.assertEqual(status, TRIPLE_FAULT, text)
        advice = re.search(r"--step-after (\d+)", text)
        if advice:  # an AMD CPU, whose KVM forgets: do as the post-mortem says
            status, text = self.die("lose-idt", *advice.group().split())
            self.assertEqual(status, TRIPLE_FAULT, text)
        self.assertRegex(text, r"RIP [0-9a-f]{16} lose_idt\+0x", "the instruction that died")
        self.assertRegex(text, r"The guest died: #UD, .*; there is no IDT", "the first line names the cause")


if __name__ == "__main__":
    unittest.main()
