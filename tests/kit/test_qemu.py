"""The same Moss in plain QEMU, without KVM and without Terrarium: it relies on nothing that only we have."""

import os
import random
import subprocess
import tempfile
import unittest
from tests.support import moss


class OnSerialPort(unittest.TestCase):
    """The tests of the labs use the virtio console there (test_qemu_lab*.py)."""

    def run_moss(self, script):
        return moss.QEMU.run(script, console="serial")

    def test_pipe_session(self):
        result = self.run_moss(b"echo hi\nuname | cat\nexit 3\n")
        self.assertEqual((result.status, result.stdout), (3, b"hi\nMoss\n"), result.stderr.decode(errors="replace"))

    def test_end_of_input_is_status_0(self):
        self.assertEqual(self.run_moss(b"true\n").status, 0)

    def test_70_kb_of_any_bytes_arrive(self):
        data = random.Random(2).randbytes(70000)
        result = self.run_moss(b'echo "$NONCE sum $(cksum)" > /dev/results\n' + data)
        self.assertEqual(result.records, [("sum", moss.cksum(data))])


class OtherDevices(unittest.TestCase):
    def test_the_host_gives_random_bytes(self):
        result = moss.QEMU.run(b"true\n", "-trace virtio_rng_pushed")
        self.assertIn(b"64 bytes pushed", result.stderr)


class OnDisks(unittest.TestCase):
    """QEMU's virtio disks, with and without what makes them fast; what Moss wrote is judged by mtools and fsck.fat."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file, self.disk = os.path.join(directory.name, "data"), os.path.join(directory.name, "disk.img")
        self.data = random.Random(4).randbytes(700000)
        with open(self.file, "wb") as file:
            file.write(self.data)
        subprocess.run(["scripts/mkdisk", self.disk, "16M", self.file], cwd=moss.ROOT, check=True, capture_output=True)

    def run_with_disks(self, script, features=""):
        """The same image twice: read-only, then writable. Returns the Result."""
        options = [f"-drive if=none,id=d{n},file={self.disk},format=raw,file.locking=off{readonly}"
                   f" -device virtio-blk-device,drive=d{n},serial=number{n}{features}"
                   for n, readonly in enumerate([",readonly=on", ""])]
        return moss.QEMU.run(b"RO=/dev/vda\nRW=/dev/vdb\n" + script, *options)

    def check_copy(self, features=""):
        result = self.run_with_disks(b"""mkdir /mnt && mount $RW /mnt && cp /mnt/data "/mnt/a copy with a long name" && sync
umount /mnt && mount $RW /mnt && echo "$NONCE sum $(cksum < '/mnt/a copy with a long name')" > /dev/results
umount /mnt
echo x > $RO || echo "$NONCE refused" > /dev/results
""", features)
        self.assertEqual(result.records, [("sum", moss.cksum(self.data)), ("refused", "")], result.stderr)
        copy = subprocess.run(["mtype", "-i", self.disk, "::/a copy with a long name"], check=True, capture_output=True)
        self.assertEqual(moss.cksum(copy.stdout), moss.cksum(self.data))
        judge = subprocess.run(["/sbin/fsck.fat", "-n", self.disk], check=False, capture_output=True, text=True)
        self.assertEqual(judge.returncode, 0, judge.stdout)

    def test_what_moss_copies_is_on_the_disk(self):
        self.check_copy()

    def test_without_event_index_and_indirect_descriptors(self):
        self.check_copy(",event_idx=off,indirect_desc=off")


if __name__ == "__main__":
    unittest.main()
