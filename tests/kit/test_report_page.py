"""The page of `terrarium report` in a real browser, without a window: its numbers, its script, light and dark."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120


def sample():
    """A trace with two vCPUs, a console, a guest that tells, and names that try to be HTML."""
    nasty = "</script><script>document.title='broken'</script>"
    events = [{"ph": "M", "pid": 1, "tid": n, "cat": "__metadata", "name": "thread_name", "args": {"name": f"vCPU {n}"}}
              for n in range(2)]
    for n in range(1200):
        events.append({"ph": "X", "pid": 1, "tid": n % 2, "cat": "exit", "ts": 50 * n, "dur": 10 + n % 3, "name": "out uart16550",
                       "args": {"reason": "io", "device": "uart16550", "guest_us": 40, "at": "uart_write+0x10"}})
    events.append({"ph": "X", "pid": 1, "tid": 0, "cat": "exit", "ts": 100, "dur": 5, "name": nasty, "args": {"reason": "mmio"}})
    events.append({"ph": "i", "pid": 1, "tid": 1000000, "cat": "console", "ts": 30000, "name": "console",
                   "args": {"text": nasty + "\n"}})
    events.append({"ph": "X", "pid": 2, "tid": 5, "cat": "syscall", "ts": 10, "dur": 9000, "name": "execve", "args": {"task": 5}})
    return {"traceEvents": events, "otherData": {"every": 1, "dropped": 17, "over_limit": 0, "lost_by_guest": 0}}


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if not cls.browser:
            raise unittest.SkipTest("there is no chromium; ./scripts/setup installs it")
        directory = tempfile.TemporaryDirectory(prefix="report-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        (cls.directory / "trace.json").write_text(json.dumps(sample()))
        cls.page = cls.directory / "page.html"
        subprocess.run([ROOT / "build/terrarium", "report", cls.directory / "trace.json", cls.page], check=True,
                       capture_output=True)

    def browse(self, *options):
        done = subprocess.run([self.browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200",
                               f"--user-data-dir={self.directory}/profile", "--virtual-time-budget=5000",
                               *options, self.page.as_uri()], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_page_shows_the_numbers_and_runs_only_its_own_script(self):
        page = self.browse("--dump-dom")
        self.assertIn('data-ready="yes"', page, "the script ran to its end")
        text = re.sub(r"<script.*?</script>", "", page, flags=re.S)
        for part in ("1,201", "uart_write", "execve", "17 events are missing", "&lt;/script&gt;"):
            self.assertIn(part, text)
        self.assertNotIn("<title>broken", page, "what a guest prints is text, never a script")
        self.assertEqual(re.findall(r"(?:src|href)=", page), [], "nothing is fetched")

    def background(self, *options):
        """The first pixel of a picture of the page: with any PNG filter that is the very bytes."""
        picture = self.directory / "page.png"
        self.browse("--hide-scrollbars", f"--screenshot={picture}", *options)
        data, at, packed = picture.read_bytes(), 8, b""
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], "big")
            packed += data[at + 8:at + 8 + size] if data[at + 4:at + 8] == b"IDAT" else b""
            at += size + 12
        return zlib.decompress(packed)[1:4]

    def test_light_and_dark(self):
        self.assertGreater(min(self.background()), 200)
        self.assertLess(max(self.background("--blink-settings=preferredColorScheme=0")), 60)


if __name__ == "__main__":
    unittest.main()
