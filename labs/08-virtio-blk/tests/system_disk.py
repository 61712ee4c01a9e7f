"""Disks: what Moss writes is what fsck.fat and mtools find, what mtools writes is what Moss reads, and what fsync has
returned for is there however the machine ends."""

import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from tests.support import moss

MKDISK = os.path.join(moss.ROOT, "scripts/mkdisk")
DIRECTORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # in memory: a disk is many small writes
FSCK = shutil.which("fsck.fat", path="/usr/sbin:/sbin:" + os.environ["PATH"])
HOST_ERROR, USAGE = 120, 2


def mtools(*words):
    return subprocess.run(words, capture_output=True, check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout


class DiskTest(moss.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=DIRECTORY)
        self.addCleanup(directory.cleanup)
        self.path = directory.name
        self.disk = os.path.join(self.path, "disk.img")

    def make(self, size, *options):
        subprocess.run([MKDISK, *options, self.disk, size], check=True, capture_output=True)

    def run_moss(self, script, *options, disks=()):
        """Moss with the disk at /disk, and further disks; every command must succeed."""
        result = self.machine.run(b"set -e\n" + script, *options, disks=[self.disk, *disks])
        self.assertEqual(result.status, 0, result.stdout + result.stderr)
        return result

    def check_clean(self):
        done = subprocess.run([FSCK, "-n", self.disk], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)

    def write_host_file(self, name, data):
        path = os.path.join(self.path, name)
        with open(path, "wb") as file:
            file.write(data)
        return path


class Exchange(DiskTest):
    """For each type of FAT: files both ways."""

    def exchange(self, size, *options):
        data = random.Random(size).randbytes(300_001)
        self.make(size, *options)
        mtools("mcopy", "-i", self.disk, self.write_host_file("from-host", data), "::A name of the host's.bin")
        result = self.run_moss(
            b"cksum '/disk/A name of the host.s.bin' 2>/dev/null || cksum \"/disk/A name of the host's.bin\"\n"
            b"mkdir -p /disk/Some/deeper/directory\n"
            b"cp \"/disk/A name of the host's.bin\" /disk/Some/deeper/directory/copy.of.it\n"
            b"i=0; while [ $i -lt 60 ]; do echo $i > /disk/Some/file-$i; i=$((i+1)); done\n"
            b"rm /disk/Some/file-7; mv /disk/Some/file-8 /disk/moved\n")
        self.assertIn(moss.cksum(data).encode(), result.stdout)
        self.check_clean()
        self.assertEqual(mtools("mtype", "-i", self.disk, "::Some/deeper/directory/copy.of.it"), data)
        self.assertEqual(mtools("mtype", "-i", self.disk, "::moved"), b"8\n")
        names = mtools("mdir", "-b", "-i", self.disk, "::Some").decode().split()
        self.assertEqual(len(names), 59, names)

    def test_fat12(self):
        self.exchange("2M", "-t", "fat12")

    def test_fat16(self):
        self.exchange("32M", "-t", "fat16")

    def test_fat32(self):
        self.exchange("64M", "-t", "fat32")

    def test_large_clusters(self):
        self.exchange("256M", "-t", "fat16", "-c", "32768")

    def test_a_full_disk_is_told_and_stays_clean(self):
        self.make("1M")
        script = (b"cat /bin/* > /disk/big; echo status $?\n"
                  b"rm /disk/big; cp /bin/ls /disk/ls && cmp=$(cksum < /disk/ls) && [ \"$cmp\" = \"$(cksum < /bin/ls)\" ]\n")
        result = self.machine.run(script, disks=[self.disk])
        self.assertEqual(result.status, 0, result.stdout + result.stderr)
        self.assertIn(b"No space left on device", result.stdout + result.stderr)
        self.assertIn(b"status 1\n", result.stdout)
        self.check_clean()

    def test_two_disks_and_one_only_to_read(self):
        self.make("8M")
        second = os.path.join(self.path, "second.img")
        subprocess.run([MKDISK, second, "8M", self.write_host_file("note", b"from the host\n")], check=True, capture_output=True)
        with open(second, "rb") as file:
            before = file.read()
        result = self.run_moss(b"mkdir /mnt; mount /dev/vdb /mnt; cat /mnt/note\n"
                               b"if echo x > /mnt/new 2>/dev/null; then exit 1; fi\n"
                               b"cp /mnt/note /disk/; umount /mnt\n", disks=[second + ",ro"])
        self.assertIn(b"from the host\n", result.stdout)
        self.assertEqual(mtools("mtype", "-i", self.disk, "::note"), b"from the host\n")
        with open(second, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_the_self_test_of_disks(self):
        self.make("64M")
        result = self.run_moss(b"export DISK=/disk; selftest disk\n")
        verdicts = [verdict for verdict, _ in result.records]
        self.assertEqual(verdicts, ["ok"] * 7 + ["end"], result.stdout)
        self.check_clean()

    def test_the_bench_of_disks_measures_all_and_only_overwrites_when_asked_to(self):
        self.make("4M")
        with open(self.disk, "rb") as file:
            before = file.read()
        names = ["sequential-read", "random-read-1", "random-read-32"]
        self.assertEqual(self.measured(b"diskbench /dev/vda\n"), names)
        with open(self.disk, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(self.measured(b"umount /disk\ndiskbench -w /dev/vda\n"), ["sequential-write", *names, "random-write"])
        with open(self.disk, "rb") as file:
            self.assertEqual(file.read(), bytes(len(before)))

    def measured(self, script):
        """The names of what diskbench has measured; every figure is above 0."""
        figures = re.findall(r"^(\S+) (\S+) (?:MB/s|IOPS)$", self.run_moss(script).stdout.decode(), re.MULTILINE)
        self.assertEqual([name for name, figure in figures if float(figure) <= 0], [])
        return [name for name, _ in figures]

    @moss.only_terrarium
    def test_exits_instead_of_eventfds_work_as_well(self):
        self.make("8M")
        self.run_moss(b"cp /bin/sh /disk/sh; sync\n", "--no-eventfd")
        self.check_clean()
        self.assertEqual(len(mtools("mtype", "-i", self.disk, "::sh")), os.path.getsize(os.path.join(moss.BUILD, "root/bin/sh")))


class Damage(DiskTest):
    def test_random_bytes_are_no_file_system_and_no_panic(self):
        with open(self.disk, "wb") as file:
            file.write(random.Random(1).randbytes(1 << 20))
        result = self.machine.run(b"mount /dev/vda /mnt; echo lives\n", disks=[self.disk])
        self.assertIn(b"lives", result.stdout)
        self.assertEqual(result.status, 0, result.stderr)

    def test_a_disk_with_random_damage_is_survived(self):
        self.make("4M", "-t", "fat16")
        for seed in range(3):
            numbers = random.Random(seed)
            with open(self.disk, "r+b") as file:
                for _ in range(40):
                    file.seek(numbers.randrange(512, 100_000))
                    file.write(numbers.randbytes(4))
            script = b"ls -l /disk; cat /disk/* > /dev/null; cp /bin/ls /disk/x; mkdir /disk/d; sync; echo lives\n"
            result = self.machine.run(script, disks=[self.disk])
            self.assertIn(b"lives", result.stdout)
            self.assertNotEqual(result.status, self.machine.panic, result.stdout)


class Kill(DiskTest):
    """kill -9 of the machine while Moss writes: what fsync has returned for is there."""

    SCRIPT = (b"i=0; while [ $i -lt 400 ]; do cksum /disk/f$i 2>/dev/null; cp /bin/ls /disk/f$i; sync; "
              b"echo $NONCE done f$i > /dev/results; i=$((i+1)); done\n")

    def kill_after(self, files):
        results = os.path.join(self.path, "results.%d" % files)  # a new one: records of the last machine would count
        with self.machine.start(results, stdout=subprocess.DEVNULL, disks=[self.disk]) as process:
            process.stdin.write(b"export NONCE=n\n" + self.SCRIPT)
            process.stdin.close()
            end = time.monotonic() + 60 * moss.SCALE
            while len(moss.read_records(results, "n")) < files:
                self.assertLess(time.monotonic(), end, "Moss does not write")
                self.assertIsNone(process.poll(), "Moss ended")
                time.sleep(0.01)
            self.machine.kill(process)
        return [text for _, text in moss.read_records(results, "n")]

    def test_synced_files_survive(self):
        with open(os.path.join(moss.BUILD, "root/bin/ls"), "rb") as file:
            wanted = file.read()
        for files in (1, 5, 12):
            self.make("64M", "-f")
            for name in self.kill_after(files):
                self.assertEqual(mtools("mtype", "-i", self.disk, "::" + name), wanted, name)
            done = subprocess.run([FSCK, "-n", self.disk], capture_output=True, text=True, check=False)
            self.assertNotIn("share clusters", done.stdout)
            self.assertNotIn("Bad", done.stdout)


class Refusals(DiskTest):
    def refused(self, message, *options, status=HOST_ERROR):
        result = self.machine.run(b"", *options)
        self.assertEqual(result.status, status, result.stderr)
        self.assertIn(message, result.stderr)

    @moss.only_terrarium
    def test_files_that_are_no_disks(self):
        self.refused(b"make disks with scripts/mkdisk", "--disk", self.disk)
        self.write_host_file("disk.img", b"x" * 1000001)
        self.refused(b"size 1000001 is not a multiple of 512", "--disk", self.disk, status=USAGE)

    @moss.only_terrarium
    def test_an_image_in_use_is_locked(self):
        self.make("1M")
        with self.machine.session("--disk", self.disk) as session:
            session.expect(moss.PROMPT)
            self.refused(b"another program uses it", "--disk", self.disk)


if __name__ == "__main__":
    unittest.main()
