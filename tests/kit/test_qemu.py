"""The same Moss in plain QEMU, without KVM and without Terrarium: it relies on nothing that only we have."""

import random
import unittest
from tests.support import moss


class Qemu(unittest.TestCase):
    def test_pipe_session(self):
        result = moss.run_in_qemu(b"echo hi\nuname | cat\nexit 3\n", timeout=300)
        self.assertEqual((result.status, result.stdout), (3, b"hi\nMoss\n"), result.stderr.decode(errors="replace"))

    def test_end_of_input_is_status_0(self):
        self.assertEqual(moss.run_in_qemu(b"true\n", timeout=300).status, 0)

    def test_70_kb_of_any_bytes_arrive(self):
        data = random.Random(2).randbytes(70000)
        result = moss.run_in_qemu(b'echo "$NONCE sum $(cksum)" > /dev/results\n' + data, timeout=300)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])

    def test_selftest(self):
        result = moss.run_in_qemu(b"selftest\n", timeout=600)
        failures = [text for verdict, text in result.records if verdict == "FAIL"]
        self.assertEqual(failures, [])
        self.assertEqual([verdict for verdict, _ in result.records][-1:], ["end"], result.stdout[-2000:])
        self.assertEqual(result.status, 0)


if __name__ == "__main__":
    unittest.main()
