"""`make vscode`: the settings are valid, what they name exists, and what a user has written stays."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


class Settings(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)

    def write(self, *words, build="build"):
        return subprocess.run([ROOT / "scripts/vscode", build, "--kernel build/moss.elf", *words], cwd=self.place,
                              capture_output=True, text=True, check=False)

    def settings(self):
        return [json.loads((self.place / ".vscode" / name).read_text()) for name in ("launch.json", "tasks.json")]

    def test_what_they_name_exists(self):
        self.assertEqual(self.write("build/disk.img").returncode, 0)
        launch, tasks = self.settings()
        labels = {task["label"] for task in tasks["tasks"]}
        for configuration in launch["configurations"]:
            with self.subTest(configuration["name"]):
                self.assertIn(configuration["preLaunchTask"], labels)
                path = {"cppdbg": "miDebuggerPath", "gdbtarget": "gdb"}[configuration["type"]]
                self.assertTrue(shutil.which(configuration[path]))
                made = configuration["program"].replace("${workspaceFolder}/build/", "$(B)/")
                self.assertIn("\n%s:" % made, MAKEFILE)
        for path in re.findall(r"scripts/[\w./-]+", json.dumps(launch)):
            self.assertTrue(os.path.exists(ROOT / path), path)
        for task in tasks["tasks"]:
            done = subprocess.run([task["command"], "-n", *task["args"]], cwd=ROOT, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_earlier_lab(self):
        self.write(build="build/lab10")
        launch, tasks = self.settings()
        self.assertIn("build/lab10/moss.elf", launch["configurations"][0]["program"])
        self.assertEqual(tasks["tasks"][0]["args"][0], "LAB=10")

    def test_the_users_file_stays(self):
        (self.place / ".vscode").mkdir()
        (self.place / ".vscode/launch.json").write_text("{}\n")
        done = self.write()
        self.assertEqual(done.returncode, 1)
        self.assertIn(".vscode/launch.json: is there", done.stderr)
        self.assertEqual((self.place / ".vscode/launch.json").read_text(), "{}\n")
        self.assertTrue((self.place / ".vscode/tasks.json").exists(), "the other one is written")

    def test_twice_is_no_harm(self):
        self.write()
        before = self.settings()
        self.assertEqual(self.write().returncode, 0)
        self.assertEqual(self.settings(), before)

    def test_git_does_not_track_them(self):
        self.assertIn(".vscode/", (ROOT / ".gitignore").read_text().splitlines())


if __name__ == "__main__":
    unittest.main()
