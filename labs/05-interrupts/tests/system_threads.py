"""Moss's threads in the machine that Terrarium makes: interrupts, clock, tick, switches and waiting, all together."""

import glob
import os
import unittest
from tests.support import moss


def lab():
    """The lab that the build is of: the whole kit has the newest."""
    name = os.path.basename(os.path.normpath(moss.BUILD))
    if name.startswith("lab"):
        return int(name[3:])
    return max(int(os.path.basename(path)[:2]) for path in glob.glob(os.path.join(moss.ROOT, "labs/[0-9][0-9]-*")))


class Threads(moss.TestCase):
    def test_threads_take_turns_until_all_is_done(self):
        later = lab() >= 6  # then a shell lives on
        how = {"initrd": "initrd.cpio"} if later else {"initrd": None, "results": False}
        with self.machine.session(append="demo=threads" if later else "notty demo=threads", **how) as session:
            if later:
                session.expect(b"demo: done")
                session.send(b"exit 0\r")
            status = session.wait()
        self.assertEqual(status, 0, "two threads pass a turn to and fro, each sleeps 50 ms before it does, and Moss ends "
                         "when both are done. It said:\n" + session.screen.decode(errors="replace"))


if __name__ == "__main__":
    unittest.main()
