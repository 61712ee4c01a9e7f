"""The same Moss in plain QEMU, without KVM and without Terrarium: it relies on nothing that only we have."""

import random
import unittest
from tests.support import moss


class OnSerialPort(unittest.TestCase):
    console = "serial"

    def run_moss(self, script, timeout=300, **how):
        return moss.run_in_qemu(script, timeout=timeout, console=self.console, **how)

    def test_pipe_session(self):
        result = self.run_moss(b"echo hi\nuname | cat\nexit 3\n")
        self.assertEqual((result.status, result.stdout), (3, b"hi\nMoss\n"), result.stderr.decode(errors="replace"))

    def test_end_of_input_is_status_0(self):
        self.assertEqual(self.run_moss(b"true\n").status, 0)

    def test_70_kb_of_any_bytes_arrive(self):
        data = random.Random(2).randbytes(70000)
        result = self.run_moss(b'echo "$NONCE sum $(cksum)" > /dev/results\n' + data)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])

    def test_selftest(self):
        result = self.run_moss(b"selftest\n", timeout=600)
        failures = [text for verdict, text in result.records if verdict == "FAIL"]
        self.assertEqual(failures, [])
        self.assertEqual([verdict for verdict, _ in result.records][-1:], ["end"], result.stdout[-2000:])
        self.assertEqual(result.status, 0)


class OnVirtioConsole(OnSerialPort):
    console = "virtio"

    def test_a_megabyte_goes_in_and_out_again(self):
        data = random.Random(3).randbytes(1000000)
        result = self.run_moss(b"cat\n" + data)
        self.assertEqual(len(result.stdout), len(data))
        self.assertEqual(moss.cksum(result.stdout), moss.cksum(data))

    def test_a_panic_is_told(self):
        result = self.run_moss(b"", append="init=/none")
        self.assertIn(b"Moss panics: ", result.stdout)
        self.assertEqual(result.status, 127)  # 255, of which QEMU passes on seven bits

    def test_the_host_gives_random_bytes(self):
        result = self.run_moss(b"true\n", options="-trace virtio_rng_pushed")
        self.assertIn(b"64 bytes pushed", result.stderr)


if __name__ == "__main__":
    unittest.main()
