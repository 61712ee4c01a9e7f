"""Submissions that want more than they deserve: they forge, exhaust, and reach for what is not theirs.

Most of them add rightly (30 points) and do something hostile where they should double (70 points).
"""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from tests.kit.grading import COUNTER, Grading, hostile

from labkit import channel, limits, sandbox


class Forging(Grading):
    """Verdicts come from the grader, whatever the submission writes, and wherever."""

    def test_text_is_no_verdict(self):
        self.assertEqual(self.score(hostile("""
    for (int i = 1; i < 3; i++)
        dprintf(i, "ok 2 - doubling\\n[       OK ] doubling_gives_the_double\\n[  PASSED  ] 3 test(s).\\n{\\"score\\": 100}\\n"
                   "00000000000000000000000000000000 pass 0 doubling_gives_the_double\\n");""")), 30)

    def test_writing_to_all_descriptors_gains_nothing(self):
        everywhere = """
    for (int i = 0; i < 1024; i++)
        if (write(i, "pass pass pass pass pass", 24) < 0)
            continue;"""
        self.assertEqual(self.score(hostile(everywhere)), 30)
        early = f"__attribute__((constructor)) static void early(void)\n{{\n{everywhere}\n}}\n"
        self.assertEqual(self.score(hostile(before=early)), 0)

    def test_leaving_early_gains_nothing(self):
        for leave in "exit(0)", "_exit(0)", "raise(SIGKILL)", "kill(getppid(), SIGKILL)":
            with self.subTest(leave):
                self.assertEqual(self.score(hostile(f"    {leave};")), 30)
        early = "__attribute__((constructor)) static void early(void)\n{\n    exit(0);\n}\n"
        self.assertEqual(self.score(hostile(before=early)), 0)

    def test_the_process_that_knows_the_nonce_cannot_be_looked_into(self):
        self.assertEqual(self.score(hostile("""
    char path[64];

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", getppid(), i ? "mem" : "fd/3");
        if (open(path, O_RDWR) >= 0)
            return 2 * a;
    }
    if (getenv("TERRARIUM_RESULTS"))
        return 2 * a;""")), 30)

    def test_signed_lines_cannot_be_forged_moved_or_repeated(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "lines"
            writer, reader = channel.Writer(path, "key"), channel.Reader("key")
            self.addCleanup(writer.file.close)
            for entry in ["s", "a", "fail", ""], ["s", "b", "pass", ""]:
                writer.write(entry)
            first, second = path.read_text().splitlines()
            self.assertEqual(reader.entries(second), [])
            self.assertEqual(reader.entries(first.replace("fail", "pass")), [])
            self.assertEqual(reader.entries(first), [["s", "a", "fail", ""]])
            self.assertEqual(reader.entries(first), [])
            self.assertEqual(reader.entries("\x00\xff nonsense"), [])
            self.assertEqual(reader.entries(second), [["s", "b", "pass", ""]])


class Exhausting(Grading):
    """What goes beyond a limit costs its own tests, and nothing stays behind. Each goes just so far that a broken limit does no harm."""

    def check(self, double, part, score=30, before="", **environment):
        result = self.graded(self.submit(hostile(double, before)), **environment)
        self.assertEqual(result["score"], score, result)
        self.assertRegex(result["tests"][1]["output"], part)
        self.assertEqual(self.left_behind(), [])

    def test_a_loop_without_end(self):
        self.check("    for (volatile unsigned i = 0;; i++)\n        ;", "a loop without an end", TERRARIUM_TEST_CPU_SECONDS="1")

    def test_too_many_processes(self):
        self.check("for (int i = 0; i < 8; i++) fork(); sleep(30);", "it ran more than 64 processes at once")

    def test_too_much_memory(self):
        self.check("for (int i = 0; i < 80; i++) memset(malloc(64 << 20), 1, 64 << 20); sleep(30);", "it used more than 3072 MiB of memory")

    def test_too_large_a_file(self):
        for call, part in {
            "posix_fallocate(fd, 0, 5l << 30)": "it used more than 3072 MiB of memory|ended its process with status 3",
            "ftruncate(fd, 3l << 40)": "signal 25",
        }.items():
            self.check(f"""
    int fd = open(strcat(strcpy(path, getenv("TMPDIR")), "/f"), O_CREAT | O_RDWR, 0600);

    if ({call})
        exit(3);
    sleep(30);""", part, before="char path[4096];")

    def test_too_many_words(self):
        words = "for (long i = 0; i < 5l << 10; i++) write(1, block, sizeof block); sleep(30);"
        self.check(words, "it used more than 3072 MiB of memory", before="char block[1 << 20];")
        early = f"char block[1 << 20];\n__attribute__((constructor)) static void early(void)\n{{\n    {words}\n}}\n"
        self.check("", "it used more than 3072 MiB of memory", score=0, before=early)

    def test_too_many_files(self):
        """They are in memory, and fill no disk."""
        before = limits.free_bytes(self.base)
        self.check("""
    for (int i = 0; i < 20; i++) {
        int fd = mkstemp(strcat(strcpy(path, getenv("TMPDIR")), "/XXXXXX"));
        if (posix_fallocate(fd, 0, 1l << 28))
            exit(3);
        close(fd);
    }
    sleep(30);""", "it used more than 3072 MiB of memory|ended its process with status 3", before="char path[4096];")
        self.assertLess(before - limits.free_bytes(self.base), limits.DISK_MAX)

    def test_where_files_are_no_memory_the_disk_is_watched(self):
        with limits.scratch(self.base) as directory:
            guard = limits.Guard([directory])
            self.assertEqual(guard.too_much({}), "")
            guard.free[directory] += limits.DISK_MAX + (1 << 30)
            self.assertEqual(guard.too_much({}), "", "another has filled it")
            with mock.patch.object(limits, "held_bytes", return_value=limits.DISK_MAX + 1):
                self.assertEqual(guard.too_much({}), "it wrote more than 4096 MiB to the disk")

    def test_what_others_on_the_machine_hold_is_not_counted(self):
        with limits.scratch(self.base) as directory:
            guard = limits.Guard([directory])
            guard.shared -= limits.MEMORY_MAX + (1 << 30)
            self.assertEqual(guard.too_much({}), "")
            for available, held in (1 << 40, limits.MEMORY_MAX + 1), (limits.SPARE - 1, 0):
                numbers = {"Shmem": 0, "MemAvailable": available}
                with mock.patch.object(limits, "held_bytes", return_value=held), \
                     mock.patch.object(limits, "machine_memory", side_effect=numbers.get):
                    guard.shared = -limits.MEMORY_MAX - 1
                    self.assertEqual(guard.too_much({}), "it used more than 3072 MiB of memory")

    def test_files_are_held_by_who_has_them_open_too(self):
        with limits.scratch(self.base) as directory:
            before = limits.held_bytes([directory], [])
            with open(os.path.join(directory, "file"), "wb") as file:
                file.write(bytes(1 << 20))
                file.flush()
                self.assertEqual(limits.held_bytes([directory], []) - before, 1 << 20)
                os.unlink(file.name)
                self.assertEqual(limits.held_bytes([directory], []) - before, 1 << 20)
            self.assertEqual(limits.held_bytes([directory], []), before)

    def test_directories_that_are_deep_and_forbidden(self):
        self.check("""
    chdir(getenv("TMPDIR"));
    for (int i = 0; i < 3000; i++)
        if (mkdir("d", 0700) || chdir("d"))
            exit(3);
    chmod(".", 0);""", "expected 8", before="#include <sys/stat.h>")
        with limits.scratch(self.base) as directory:
            deep = "import os\nfor i in range(3000): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)"
            subprocess.run([sys.executable, "-c", deep], cwd=directory, check=True)
        self.assertFalse(os.path.exists(directory))

    def test_processes_left_behind(self):
        self.check("""
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            sleep(60);
        _exit(0);
    }""", "expected 8")

    def test_a_compiler_without_end(self):
        text = "#if __INCLUDE_LEVEL__ < 150\n#include \"counter.c\"\n#include \"counter.c\"\n#endif\n"
        result = self.graded(self.submit({COUNTER: text}), TERRARIUM_BUILD_CPU_SECONDS="1")
        self.assertEqual(result["score"], 0)
        self.assertIn("lab 1 does not compile", result["output"])
        self.assertEqual(self.left_behind(), [])


@unittest.skipUnless(sandbox.version(), "this kernel has no Landlock (Linux has it since 5.13)")
class Reaching(Grading):
    """Nothing but its own stage and the system's programs can be reached, when it is compiled and when it runs."""

    def test_the_reference_cannot_be_read_when_it_runs(self):
        for path in self.kit.root / COUNTER, self.kit.root / "labs/01-count/starter" / COUNTER, self.base:
            with self.subTest(path):
                self.assertEqual(self.score(hostile(f'    if (open("{path}", O_RDONLY) >= 0)\n        return 2 * a;')), 30)

    def test_the_reference_cannot_be_taken_in_when_it_is_compiled(self):
        """By ways that no look at the text finds."""
        assembler = '__asm__(".macro take a, b\\n.\\\\a\\\\b \\"%s\\"\\n.endm\\ntake inc, bin\\n");' % (self.kit.root / COUNTER)
        result = self.graded(self.submit(hostile(before=assembler)))
        self.assertEqual(result["score"], 0)
        self.assertIn("lab 1 does not compile", result["output"])
        self.assertIn("deserves a look: asm", result["said"])

    def test_nothing_can_be_changed(self):
        self.assertEqual(self.score(hostile(f"""
    const char *places[] = {{"x", "build/lab1/tests/01-count/x", "labs/01-count/x", "{self.kit.root}/x", "{self.base}/x",
                            "/tmp/x-of-a-test"}};

    for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
        if (open(places[i], O_CREAT | O_WRONLY, 0600) >= 0)
            return 2 * a;""")), 30)

    @unittest.skipUnless(sandbox.version() >= 4, "this kernel's Landlock does not stop TCP (Linux 6.7 does)")
    def test_the_network_cannot_be_reached(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertEqual(self.score(hostile(f"""
    struct sockaddr_in to = {{.sin_family = AF_INET, .sin_port = htons({server.getsockname()[1]}), .sin_addr = {{htonl(0x7f000001)}}}};

    if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to) == 0)
        return 2 * a;""", before="#include <arpa/inet.h>\n#include <sys/socket.h>")), 30)

    @unittest.skipUnless(sandbox.version() >= 6, "this kernel's Landlock does not stop signals (Linux 6.12 does)")
    def test_others_cannot_be_killed(self):
        """One bystander stands for all: kill(-1) would end more than a test, should the sandbox be broken."""
        with subprocess.Popen(["sleep", "1000"]) as bystander:
            self.assertEqual(self.score(hostile(f"    if (kill({bystander.pid}, SIGKILL) == 0)\n        return 2 * a;")), 30)
            self.assertIsNone(bystander.poll())
            bystander.kill()

    def test_a_kit_below_a_directory_of_programs_is_still_hidden(self):
        (self.base / "opt/a").mkdir(parents=True)
        (self.base / "opt/kit/b").mkdir(parents=True)
        (self.base / "opt/link").symlink_to(self.base / "opt/kit")
        self.assertEqual(sandbox.without(self.base / "opt", self.base / "opt/kit"), [(self.base / "opt/a").resolve()])
        self.assertEqual(sandbox.without(self.base / "opt/kit/b", self.base / "opt/kit"), [])
        self.assertEqual(sandbox.without(self.base / "opt", self.base / "else"), [(self.base / "opt").resolve()])


if __name__ == "__main__":
    unittest.main()
