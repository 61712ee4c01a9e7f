"""Many shell commands in one boot of scripts/with-kvm.

In the machine, `python3 batch.py FILE` runs the commands that FILE lists as JSON and adds a line of JSON for each.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds for one command, times TIMEOUT_SCALE: only ends what hangs
HANGS = 124    # timeout(1)'s status


def run(commands, environment=()):
    """Run shell commands, each in the repository's root, without input. Returns (status, output) for each; output is both
    stdout and stderr. A machine that ends too early leaves (None, its last words) for the others."""
    os.makedirs(ROOT / "build", exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="batch-", dir=ROOT / "build") as directory:
        path = pathlib.Path(directory) / "commands.json"
        path.write_text(json.dumps(list(commands)) + "\n")
        done = subprocess.run([ROOT / "scripts/with-kvm", sys.executable, "-S", __file__, path], cwd=ROOT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, env={**os.environ, **dict(environment)})
        results = [tuple(json.loads(line)) for line in path.read_text().splitlines()[1:]]
    missing = len(commands) - len(results)
    return results + [(None, f"with-kvm ended with status {done.returncode}: {done.stderr[-500:]}")] * missing


def run_one(command):
    patience = PATIENCE * int(os.environ.get("TIMEOUT_SCALE", "1"))
    done = subprocess.run(["timeout", "--kill-after=5", str(patience), "bash", "-c", command], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    hung = f"\n(ended after {patience} s)" if done.returncode == HANGS else ""
    return done.returncode, done.stdout.decode(errors="replace") + hung


def inside(path):
    with open(path) as file:
        commands = json.loads(file.readline())
    for command in commands:
        with open(path, "a") as file:
            file.write(json.dumps(run_one(command)) + "\n")


if __name__ == "__main__":
    inside(sys.argv[1])
