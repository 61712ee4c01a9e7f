"""scripts/mkdisk: every type and cluster size gives a disk that fsck.fat likes, files are in it, and mistakes are explained."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Mkdisk(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        self.disk = self.directory / "disk.img"

    def mkdisk(self, *arguments):
        return subprocess.run([ROOT / "scripts/mkdisk", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False)

    def make(self, *arguments):
        done = self.mkdisk(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def fsck(self):
        """What fsck.fat tells about the disk; it must be content."""
        done = subprocess.run(["fsck.fat", "-nv", self.disk], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def refused(self, *arguments, says):
        done = self.mkdisk(*arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(says, done.stderr)
        return done

    def test_types_and_cluster_sizes(self):
        for size, bits, cluster in (("1M", 12, 512), ("64M", 12, 32768), ("16M", 16, 512), ("1G", 16, 32768),
                                    ("40M", 32, 512), ("300M", 32, 4096), ("3G", 32, 32768), ("5G", 32, 65536)):
            with self.subTest(size=size, bits=bits, cluster=cluster):
                self.make("-f", "-t", f"fat{bits}", "-c", cluster, self.disk, size)
                told = self.fsck()
                self.assertIn(f"{bits} bit entries", told)
                self.assertIn(f"{cluster} bytes per cluster", told)

    def test_any_size_has_a_type(self):
        for size in ("64K", "360K", "2M", "8M", "100M", "511M", "512M", "2G"):
            with self.subTest(size=size):
                self.make("-f", self.disk, size)
                self.fsck()

    def test_data_begin_at_a_block_of_moss(self):
        for size in ("1M", "64M", "600M"):
            self.make("-f", self.disk, size)
            start = self.fsck().split("Data area starts at byte ")[1].split()[0]
            self.assertEqual(int(start) % 4096, 0)

    def test_paths_are_copied_whole(self):
        inner = self.directory / "A directory" / "inner"
        inner.mkdir(parents=True)
        (inner / "A long name.text").write_text("content\n")
        self.make("-n", "MY DISK", self.disk, "1M", self.directory / "A directory")
        read = subprocess.run(["mtype", "-i", self.disk, "::A directory/inner/A long name.text"], capture_output=True, text=True,
                              check=True)
        self.assertEqual(read.stdout, "content\n")
        self.assertIn("MY DISK", subprocess.run(["mlabel", "-s", "-i", self.disk, "::"], capture_output=True, text=True,
                                                check=True).stdout)

    def test_what_is_there_is_kept(self):
        self.disk.write_text("precious")
        self.refused(self.disk, "1M", says="-f writes over it")
        self.assertEqual(self.disk.read_text(), "precious")
        (self.directory / "large").write_bytes(bytes(100000))
        self.refused("-f", self.disk, "64K", self.directory / "large", says="is the disk large enough?")
        self.assertEqual(self.disk.read_text(), "precious")
        self.assertEqual(sorted(os.listdir(self.directory)), ["disk.img", "large"])

    def test_mistakes_are_explained(self):
        self.refused(self.disk, "1X", says="as in 64M")
        self.refused(self.disk, "1000", says="whole number of sectors")
        self.refused(self.disk, "4K", says="too few")
        self.refused("-t", "ntfs", self.disk, "1M", says="the types are")
        self.refused("-t", "fat32", self.disk, "1M", says="choose another type or cluster")
        self.refused("-c", "1000", self.disk, "1M", says="power of 2")
        self.refused("-n", "ABCDEFGHIJKL", self.disk, "1M", says="11 characters")
        self.refused(self.disk, "1M", self.directory / "none", says="no such file")
        self.refused("-q", self.disk, "1M", says="unknown option -q")
        self.refused(self.disk, says="usage")
        self.assertFalse(self.disk.exists())

    def test_help(self):
        for option in ("-h", "--help"):
            done = self.mkdisk(option)
            self.assertEqual(done.returncode, 0)
            self.assertIn("usage: scripts/mkdisk", done.stdout)


if __name__ == "__main__":
    unittest.main()
