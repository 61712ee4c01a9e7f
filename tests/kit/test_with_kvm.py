"""scripts/with-kvm: the emulated machine behaves like this one, and every failure says what to do.

A boot costs several seconds, so what can be asked in one boot is asked in one: setUpClass runs it, the tests look at it.
"""

import fcntl
import hashlib
import os
import pathlib
import pwd
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import pty
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
WITH_KVM = str(ROOT / "scripts" / "with-kvm")
DEADLINE = 300  # seconds; only to end a test that hangs


def environment(**changes):
    """The environment of a test: the emulated machine is used even where KVM works."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TERRARIUM_") and k != "TIMEOUT_SCALE"}
    env.update({"TERRARIUM_FORCE_FALLBACK": "1", "TERRARIUM_QUIET": "1"})
    env.update(changes)
    return env


def with_kvm(*command, **options):
    """Run with-kvm to its end; stdout and stderr are bytes."""
    options.setdefault("env", environment())
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if options["stdin"] is None:
        del options["stdin"]
    return subprocess.run([WITH_KVM, *command], capture_output=True, timeout=DEADLINE, check=False, **options)


def read_until(fd, text, limit=DEADLINE):
    """Read from fd until `text` has come; returns everything read, also if the end comes first."""
    seen = b""
    end = time.monotonic() + limit
    while text not in seen and time.monotonic() < end:
        try:
            data = os.read(fd, 65536)
        except OSError:  # a terminal whose other side is gone
            break
        if not data:
            break
        seen += data
    return seen


def children(pid):
    try:
        return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def gone(pid):
    """True once the process has ended (a zombie has)."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def eventually(condition):
    end = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("TERRARIUM_KVM") == "emulated":
            raise unittest.SkipTest("this already runs in the emulated machine; it cannot hold another")
        cls.directory = tempfile.TemporaryDirectory(prefix="with-kvm test ")
        cls.addClassCleanup(cls.directory.cleanup)


class Streams(Case):
    """One boot: input from a pipe, much binary data both ways, exit status, what the command finds around it."""

    SCRIPT = r"""
        exec 3>&2
        say() { echo "$@" >&3; }
        say "cwd=$PWD"
        say "variable=$STRANGE"
        say "id=$(id -u):$(id -g):$(id -G)"
        say "umask=$(umask)"
        say "seen=$(cat before)"
        say "arguments=$#:$1:$2"
        for fd in 0 1 2; do [ -t $fd ] && say "terminal=$fd"; done
        (: <>/dev/kvm) && say kvm=opens
        say "lo=$(cat /sys/class/net/lo/flags)"
        say "overcommit=$(cat /proc/sys/vm/overcommit_memory)"
        say "held=$(ls -l /proc/1/fd 2>/dev/null | grep -c -e 'kvm-vm$' -e 'kvm-vcpu:0$')"
        say "time=$(date +%s)"
        say "scale=$TIMEOUT_SCALE inside=$TERRARIUM_INSIDE kvm=$TERRARIUM_KVM run=$TERRARIUM_RUN"
        [ -w "$TERRARIUM_RUN" ] && say "run=$(stat -f -c %T "$TERRARIUM_RUN")"
        [ -c /dev/pts/ptmx ] && [ -d /proc/self ] && [ -d /sys/class ] && say mounts=there
        cat >copy
        sha256sum <copy | cut -d' ' -f1 >sum
        cat copy
        scripts_with_kvm="$3"
        say "nested=$("$scripts_with_kvm" sh -c 'echo $TERRARIUM_KVM')"
        head -c 100000 copy | tail -c 50000 >&2
        (sleep 1; printf "written late") 2>&- 3>&- &
        exit 37
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sent = os.urandom(12 << 20)
        (pathlib.Path(cls.directory.name) / "before").write_text("made before the boot")
        before = time.time()
        cls.result = with_kvm(
            "sh", "-c", cls.SCRIPT, "sh", "two words", "", WITH_KVM, input=cls.sent, cwd=cls.directory.name,
            env=environment(STRANGE="a 'quoted'\nline \\ $HOME", PWD=cls.directory.name), umask=0o027,
        )  # fmt: skip
        cls.times = (before, time.time())
        facts = cls.result.stderr[: len(cls.result.stderr) - 50000]
        cls.facts = facts.decode()

    def test_exit_status_comes_back(self):
        self.assertEqual(self.result.returncode, 37, self.result.stderr[-2000:])

    def test_input_arrives_whole_and_ends(self):
        written = pathlib.Path(self.directory.name, "sum").read_text().strip()
        self.assertEqual(written, hashlib.sha256(self.sent).hexdigest())

    def test_output_comes_back_byte_for_byte(self):
        self.assertTrue(self.result.stdout.startswith(self.sent))

    def test_output_of_processes_left_behind_comes_too(self):
        self.assertEqual(self.result.stdout[len(self.sent) :], b"written late")

    def test_stderr_is_separate_and_binary(self):
        self.assertTrue(self.result.stderr.endswith(self.sent[50000:100000]))

    def test_files_written_inside_are_on_the_host(self):
        copy = pathlib.Path(self.directory.name, "copy")
        self.assertEqual(hashlib.sha256(copy.read_bytes()).digest(), hashlib.sha256(self.sent).digest())
        self.assertEqual((copy.stat().st_mode & 0o777, copy.stat().st_uid), (0o640, os.getuid()))

    def test_files_made_before_the_boot_are_seen(self):
        self.assertIn("seen=made before the boot\n", self.facts)

    def test_directory_arguments_and_environment_are_the_same(self):
        self.assertIn(f"cwd={self.directory.name}\n", self.facts)
        self.assertIn("variable=a 'quoted'\nline \\ $HOME\n", self.facts)
        self.assertIn("arguments=3:two words:\n", self.facts)

    def test_user_and_umask_are_the_same(self):
        groups = subprocess.run(["id", "-G"], capture_output=True, text=True, check=True).stdout.strip()
        self.assertIn(f"id={os.getuid()}:{os.getgid()}:{groups}\n", self.facts)
        self.assertIn("umask=0027\n", self.facts)

    def test_no_descriptor_is_a_terminal(self):
        self.assertNotIn("terminal=", self.facts)

    def test_kvm_can_be_opened(self):
        self.assertIn("kvm=opens\n", self.facts)

    def test_machine_is_set_up(self):
        self.assertIn("mounts=there\n", self.facts)
        self.assertIn("overcommit=1\n", self.facts)
        flags = int(self.facts.split("lo=")[1].split()[0], 16)
        self.assertTrue(flags & 1, "the loopback interface is down")

    @unittest.skipUnless(os.getuid() == 0, "only root may look at the first process")
    def test_two_machines_are_held_so_that_kvm_rewrites_no_code(self):
        self.assertIn("held=4\n", self.facts)

    def test_clock_is_right(self):
        inside = int(self.facts.split("time=")[1].split()[0])
        self.assertGreaterEqual(inside, int(self.times[0]))
        self.assertLessEqual(inside, self.times[1])

    def test_variables_tell_where_the_command_runs(self):
        run = f"/run/user/{os.getuid()}"
        self.assertIn(f"scale=10 inside=1 kvm=emulated run={run}\n", self.facts)
        self.assertIn("run=tmpfs\n", self.facts)

    def test_nested_with_kvm_just_runs_its_command(self):
        self.assertIn("nested=emulated\n", self.facts)


class Signals(Case):
    def start(self, script, **options):
        process = subprocess.Popen(
            [WITH_KVM, "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(), **options,
        )  # fmt: skip
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_signals_reach_the_command_and_its_death_is_told(self):
        """/dev/null ends cat at once; the trap takes INT; TERM kills."""
        process = self.start("cat; trap 'echo interrupted' INT; echo ready; while :; do sleep 0.2; done")
        self.assertEqual(read_until(process.stdout.fileno(), b"ready\n"), b"ready\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(read_until(process.stdout.fileno(), b"interrupted\n"), b"interrupted\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 128 + signal.SIGTERM)

    def test_closed_output_ends_the_writer(self):
        process = self.start("exec yes")
        self.assertEqual(os.read(process.stdout.fileno(), 4), b"y\ny\n")
        process.stdout.close()
        self.assertEqual(process.wait(DEADLINE), 128 + signal.SIGPIPE)

    def machine_of(self, process):
        self.assertTrue(eventually(lambda: any(self.is_qemu(pid) for pid in children(process.pid))))
        return next(pid for pid in children(process.pid) if self.is_qemu(pid))

    @staticmethod
    def is_qemu(pid):
        try:
            return b"qemu-system" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        except OSError:
            return False

    def test_kill_leaves_no_machine_behind(self):
        process = self.start("sleep 1000")
        machine = self.machine_of(process)
        process.kill()
        process.wait(DEADLINE)
        self.assertTrue(eventually(lambda: gone(machine)))

    def test_signal_during_the_boot_ends_everything(self):
        process = self.start("sleep 1000")
        machine = self.machine_of(process)
        process.terminate()
        self.assertEqual(process.wait(DEADLINE), 128 + signal.SIGTERM)
        self.assertTrue(eventually(lambda: gone(machine)))


class Terminal(Case):
    def spawn(self, script, rows=33, columns=101, redirect=""):
        """with-kvm on a terminal of its own; returns its process and our side of the terminal."""
        pid, fd = pty.fork()
        if pid == 0:
            command = 'exec "$0" sh -c "$1" ' + redirect
            os.execve("/bin/sh", ["sh", "-c", command, WITH_KVM, script], environment(TERM="dumb"))
        self.addCleanup(os.close, fd)
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        return pid, fd

    def wait(self, pid):
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_terminal_session(self):
        """All three descriptors; size and its change; ^C as a signal, then as a byte; ^D; modes restored."""
        script = r"""
            for fd in 0 1 2; do [ -t $fd ] && printf 't%s ' $fd; done
            stty size
            trap 'echo "resized to $(stty size)"' WINCH
            echo wait-for-size; n=0; while [ $n -lt 600 ] && [ "$(stty size)" != "50 120" ]; do n=$((n+1)); sleep 0.1; done
            trap 'echo interrupted; got=1' INT
            echo wait-for-int; n=0; while [ -z "$got" ] && [ $n -lt 600 ]; do n=$((n+1)); sleep 1; done
            trap - INT
            stty raw -echo; printf 'raw-now\r\n'; dd bs=1 count=1 2>/dev/null | od -An -tx1; stty sane
            echo wait-for-end; cat; echo after-end
            exit 9
        """
        pid, fd = self.spawn(script)
        before = termios.tcgetattr(fd)
        seen = read_until(fd, b"wait-for-size\r\n")
        self.assertIn(b"t0 t1 t2 33 101\r\n", seen)
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        seen = read_until(fd, b"wait-for-int\r\n")
        self.assertIn(b"resized to 50 120\r\n", seen)
        os.write(fd, b"\x03")
        self.assertIn(b"interrupted\r\n", read_until(fd, b"raw-now\r\n"))
        os.write(fd, b"\x03")
        self.assertIn(b" 03", read_until(fd, b"wait-for-end\r\n"))
        os.write(fd, b"echoed\n\x04")
        self.assertIn(b"echoed\r\nechoed\r\nafter-end\r\n", read_until(fd, b"after-end\r\n"))
        self.assertEqual(self.wait(pid), 9)
        self.assertEqual(termios.tcgetattr(fd), before)

    def test_crash_and_stop_restore_the_terminal(self):
        pid, fd = self.spawn("echo ready; exec sleep 1000")
        before = termios.tcgetattr(fd)
        self.assertIn(b"ready", read_until(fd, b"ready"))
        raw = termios.tcgetattr(fd)
        os.kill(pid, signal.SIGTSTP)
        os.waitpid(pid, os.WUNTRACED)
        self.assertEqual(termios.tcgetattr(fd), before)
        os.kill(pid, signal.SIGCONT)
        self.assertTrue(eventually(lambda: termios.tcgetattr(fd) == raw))
        os.kill(pid, signal.SIGSEGV)
        self.assertEqual(self.wait(pid), -signal.SIGSEGV)
        self.assertEqual(termios.tcgetattr(fd), before)

    def test_only_terminals_are_terminals_and_a_signal_restores_them(self):
        """stdin and stderr are the terminal, stdout is a file; TERM from outside."""
        out = pathlib.Path(self.directory.name, "out")
        script = "for fd in 0 1 2; do [ -t $fd ] && echo t$fd; done; stty raw; echo ready >&2; exec sleep 1000"
        pid, fd = self.spawn(script, redirect=f">'{out}'")
        before = termios.tcgetattr(fd)
        self.assertIn(b"ready", read_until(fd, b"ready"))
        self.assertNotEqual(termios.tcgetattr(fd), before)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.wait(pid), 128 + signal.SIGTERM)
        self.assertEqual(termios.tcgetattr(fd), before)
        self.assertEqual(out.read_text(), "t0\nt2\n")


class Fresh(Case):
    def test_two_at_once_prepare_an_empty_cache_as_an_ordinary_user(self):
        tree = pathlib.Path(self.directory.name, "tree")
        shutil.copytree(ROOT / "scripts", tree / "scripts")
        user = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chmod(self.directory.name, 0o755)
            subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", tree], check=True)
        run = [str(tree / "scripts" / "with-kvm"), "sh", "-c", 'id -u >"$0"; [ -w /dev/kvm ]']
        env = environment(TERRARIUM_KERNEL=self.kernel(), HOME=str(tree))
        both = [
            subprocess.Popen(run + [name], cwd=tree, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **user)
            for name in ("first", "second")
        ]
        for process, name in zip(both, ("first", "second")):
            _, errors = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 0, errors)
            self.assertEqual((tree / name).read_text().strip(), str(user.get("user", os.getuid())))
            self.assertEqual((tree / name).stat().st_uid, user.get("user", os.getuid()))
        left = [path.name for path in (tree / "build" / "with-kvm").iterdir()]
        self.assertEqual([name for name in left if name.startswith(("work", "console"))], [])
        self.assertEqual(len([name for name in left if name.startswith("machine-")]), 1)

    def kernel(self):
        """The kernel that with-kvm chooses here."""
        with_kvm("--prepare")
        lines = with_kvm("--explain").stdout.decode().splitlines()
        return next(line.split(None, 1)[1] for line in lines if line.startswith("kernel:"))


class Failures(Case):
    """with-kvm's own failures: status 125 and a message with the way out."""

    def test_kernel_that_is_not_one_is_refused(self):
        file = pathlib.Path(self.directory.name, "not-a-kernel")
        file.write_bytes(b"text" * 1000)
        for kernel, message in ((file, "not a Linux kernel image"), ("/nowhere", "does not exist")):
            result = with_kvm("true", env=environment(TERRARIUM_KERNEL=str(kernel)))
            self.assertEqual(result.returncode, 125)
            self.assertIn(f"TERRARIUM_KERNEL: {kernel}", result.stderr.decode())
            self.assertIn(message, result.stderr.decode())

    def test_memory_that_is_not_a_size_is_refused(self):
        result = with_kvm("true", env=environment(TERRARIUM_KVM_MEMORY="much"))
        self.assertEqual(result.returncode, 125)
        self.assertIn("TERRARIUM_KVM_MEMORY=much", result.stderr.decode())

    def test_machine_that_cannot_start_shows_what_qemu_said(self):
        result = with_kvm("true", env=environment(TERRARIUM_KVM_MEMORY="99999999G"))
        self.assertEqual(result.returncode, 125)
        self.assertIn("ended before the command could start", result.stderr.decode())
        self.assertIn("qemu-system-x86_64:", result.stderr.decode())

    def test_machine_that_hangs_in_its_boot_is_started_again(self):
        programs = pathlib.Path(self.directory.name, "hanging")
        programs.mkdir()
        qemu = programs / "qemu-system-x86_64"
        qemu.write_text('#!/bin/sh\n[ -e "$0.ran" ] && exec %s "$@"\n: >"$0.ran"\nexec sleep 1000\n' % shutil.which(qemu.name))
        qemu.chmod(0o755)
        result = with_kvm("sh", "-c", "exit 7", env=environment(PATH=f"{programs}:{os.environ['PATH']}"))
        self.assertEqual(result.returncode, 7, result.stderr)
        self.assertIn("has not come up after 30 s; starting it once more", result.stderr.decode())

    @unittest.skipIf(os.getuid() != 0, "only root can make a kernel panic")
    def test_kernel_panic_shows_the_console(self):
        result = with_kvm("sh", "-c", "echo c >/proc/sysrq-trigger; sleep 1000")
        self.assertEqual(result.returncode, 125)
        self.assertIn("ended while the command ran", result.stderr.decode())
        self.assertIn("Kernel panic", result.stderr.decode())

    def test_missing_qemu_names_setup(self):
        programs = pathlib.Path(self.directory.name, "programs")
        programs.mkdir()
        for name in ("bash", "cat", "cksum", "tr", "dirname", "mkdir", "uname", "true"):
            (programs / name).symlink_to(shutil.which(name))
        with_kvm("--prepare")  # so that no compiler is needed
        result = with_kvm("true", env=environment(PATH=str(programs)))
        self.assertEqual(result.returncode, 125)
        self.assertIn("qemu-system-x86_64 is not installed; ./scripts/setup", result.stderr.decode())

    def test_commands_that_cannot_run(self):
        plain = pathlib.Path(self.directory.name, "plain")
        plain.write_text("no program")
        for command, status in (("no-such-command", 127), ("./no/such/file", 127), (str(plain), 126), ("/", 126)):
            result = with_kvm(command)
            self.assertEqual(result.returncode, status)
            self.assertIn(command, result.stderr.decode())

    def test_options(self):
        for options in (["--frobnicate"], [], ["--"]):
            result = with_kvm(*options)
            self.assertEqual(result.returncode, 2)
            self.assertIn("--help", result.stderr.decode())
        self.assertIn("--explain", with_kvm("--help").stdout.decode())


class WithoutBoot(Case):
    def test_explain_tells_what_was_found_and_chosen(self):
        result = with_kvm("--explain")
        self.assertEqual(result.returncode, 0)
        for word in ("found:", "chosen:", "emulator:", "memory:"):
            self.assertIn(word, result.stdout.decode())

    def test_explain_tells_how_to_get_kvm_or_that_it_works(self):
        text = with_kvm("--explain", env=environment(TERRARIUM_FORCE_FALLBACK="")).stdout.decode()
        self.assertTrue("chosen:     native KVM" in text or "To get KVM without emulation:" in text, text)

    def test_inside_it_replaces_itself_by_the_command(self):
        env = environment(TERRARIUM_INSIDE="1")
        result = with_kvm("sh", "-c", 'echo "$0"; kill -KILL $$', "word", env=env)
        self.assertEqual((result.stdout, result.returncode), (b"word\n", -signal.SIGKILL))

    def test_fallback_is_announced_in_one_line_unless_quiet(self):
        env = environment(TERRARIUM_KVM_MEMORY="99999999G")
        quiet = with_kvm("true", env=env).stderr.decode()
        del env["TERRARIUM_QUIET"]
        loud = with_kvm("true", env=env).stderr.decode()
        self.assertNotIn("emulated machine;", quiet.splitlines()[0] if "no native" in quiet else "")
        self.assertIn("no native KVM", loud.splitlines()[0])
        self.assertEqual(len(loud.splitlines()), len(quiet.splitlines()) + 1)


if __name__ == "__main__":
    unittest.main()
