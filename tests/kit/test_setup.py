"""scripts/setup: installs what is missing, says why, and explains itself where it cannot."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the script itself uses. Everything else is absent unless a test adds it.
BASICS = ("bash", "cat", "dirname", "env", "grep", "head", "sed", "sort", "tr")


class Setup(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.programs = self.directory / "programs"
        self.programs.mkdir()
        for name in BASICS:
            (self.programs / name).symlink_to(shutil.which(name))
        # A copy of the script, with a with-kvm that only notes that it was called.
        (self.directory / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "setup", self.directory / "scripts" / "setup")
        self.script(self.directory / "scripts" / "with-kvm", 'echo "with-kvm $*"')

    def enterContext(self, context):  # unittest has it from Python 3.11 on
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    @staticmethod
    def script(path, text):
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)

    def program(self, name, text="exit 0"):
        self.script(self.programs / name, text)

    def setup(self, *arguments, path=None):
        """Run the script with only our programs in PATH, unless told otherwise."""
        env = dict(os.environ, PATH=path or str(self.programs), LOG=str(self.directory / "log"))
        return subprocess.run(
            [str(self.directory / "scripts" / "setup"), *arguments],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def log(self):
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    def everything_but(self, *absent):
        """Stand-ins for every program that the script looks for."""
        for name in ("gcc", "make", "musl-gcc", "gdb", "mcopy", "qemu-system-x86_64", "busybox", "ccache", "cpio", "xz",
                     "zstd", "python3", "shellcheck", "clang", "clang-format", "chromium"):  # fmt: skip
            if name not in absent:
                self.program(name)

    def fake_apt(self, install):
        """An apt that knows every package, and notes what it is asked; `install` is what an installation does."""
        self.program("apt-cache", "echo Package: $2")
        self.program("apt-get", f'echo "apt-get $*" >>"$LOG"; case "$*" in *install*) {install} ;; esac')
        self.program("sudo", 'exec "$@"')

    def test_installs_only_what_is_missing_and_says_why(self):
        self.everything_but("mcopy", "cpio")
        made = " ".join(f'printf "#!/bin/sh\\n" >{self.programs}/{name}; {shutil.which("chmod")} +x {self.programs}/{name};'
                        for name in ("mcopy", "cpio"))  # fmt: skip
        self.fake_apt(made)
        result = self.setup()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("mcopy is missing: makes and reads FAT disks (package mtools)", result.stdout)
        installs = [line for line in self.log().splitlines() if "install" in line]
        self.assertEqual(len(installs), 1)
        self.assertTrue({"mtools", "cpio"} <= set(installs[0].split()))
        self.assertFalse({"gcc", "gdb", "busybox-static", "clang"} & set(installs[0].split()))
        self.assertIn("with-kvm --prepare", result.stdout)

    def test_package_lists_are_updated_only_when_needed(self):
        self.everything_but("cpio")
        self.fake_apt(f'printf "#!/bin/sh\\n" >{self.programs}/cpio; {shutil.which("chmod")} +x {self.programs}/cpio')
        self.assertEqual(self.setup().returncode, 0)
        self.assertNotIn("update", self.log())
        (self.programs / "cpio").unlink()
        self.program("apt-cache", "exit 100")  # a fresh machine: no lists yet
        self.setup()
        self.assertIn("update", self.log())

    def test_failed_installation_prints_the_command(self):
        self.everything_but("cpio")
        self.fake_apt("exit 100")
        result = self.setup()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("sudo apt-get update && sudo apt-get install -y cpio", result.stderr)
        self.assertNotIn("with-kvm --prepare", result.stdout)

    def test_installation_that_leaves_something_missing_fails(self):
        self.everything_but("cpio")
        self.fake_apt("exit 0")
        result = self.setup()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("still missing", result.stderr)

    @unittest.skipIf(os.getuid() != 0, "only root can become a user without rights")
    def test_without_root_and_sudo_it_prints_the_command(self):
        self.everything_but("gdb", "shellcheck")
        self.fake_apt("exit 0")
        (self.programs / "sudo").unlink()
        os.chmod(self.directory, 0o755)
        result = subprocess.run(
            [str(self.directory / "scripts" / "setup")],
            env={"PATH": str(self.programs), "LOG": "/dev/null"},
            user=65534, group=65534, extra_groups=[], capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("not root and there is no sudo", result.stderr)
        self.assertIn("sudo apt-get install -y", result.stderr)
        self.assertIn("gdb", result.stderr)

    def test_each_package_manager_gets_its_own_names(self):
        for manager, command, name in (("dnf", "sudo dnf install -y", "ShellCheck"), ("pacman", "sudo pacman -S", "shellcheck")):
            with self.subTest(manager):
                self.everything_but("shellcheck")
                (self.programs / "shellcheck").unlink(missing_ok=True)
                self.program("sudo", 'exec "$@"')
                self.program(manager, "exit 1")
                result = self.setup()
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(command, result.stderr)
                self.assertIn(name, result.stderr.split())
                (self.programs / manager).unlink()

    def test_without_a_package_manager_it_names_what_is_missing(self):
        self.everything_but("make")
        result = self.setup()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("make", result.stderr)

    def test_dynamic_busybox_does_not_count(self):
        self.everything_but("busybox")
        (self.programs / "busybox").symlink_to(pathlib.Path(shutil.which("sh")).resolve())
        self.assertIn("package busybox-static", self.setup().stdout)

    def test_changes_nothing_when_nothing_is_missing(self):
        """On a machine that is set up (as this one is while tests run), no package manager is asked."""
        for name in ("apt-get", "dnf", "pacman", "sudo"):
            self.program(name, f'echo {name} >>"$LOG"; exit 1')
        result = self.setup(path=f"{self.programs}:{os.environ['PATH']}")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(self.log(), "")
        self.assertIn("everything is there", result.stdout)

    def test_help_and_unknown_arguments(self):
        self.assertIn("usage", self.setup("--help").stdout)
        result = self.setup("--frobnicate")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--frobnicate", result.stderr)


if __name__ == "__main__":
    unittest.main()
