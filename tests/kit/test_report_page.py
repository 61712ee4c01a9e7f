"""The page of `terrarium report` in a real browser, without a window: its numbers, its script, light and dark."""

import html
import json
import os
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
PATH_MAX = 4096  # with the zero byte at the end
NASTY = "</script><script>document.title='broken'</script>"


def sample():
    """A trace with two vCPUs, a console, a guest that tells, and names that try to be HTML."""
    events = [{"ph": "M", "pid": 1, "tid": n, "cat": "__metadata", "name": "thread_name", "args": {"name": f"vCPU {n}"}}
              for n in range(2)]
    for n in range(1200):
        events.append({"ph": "X", "pid": 1, "tid": n % 2, "cat": "exit", "ts": 50 * n, "dur": 10 + n % 3, "name": "out uart16550",
                       "args": {"reason": "io", "device": "uart16550", "guest_us": 40, "at": "uart_write+0x10" if n % 4 < 2 else "uart_flush+0x8"}})
    events.append({"ph": "X", "pid": 1, "tid": 0, "cat": "exit", "ts": 100, "dur": 4, "name": NASTY, "args": {"reason": "mmio"}})
    for at, text in ((29990, NASTY), (30000, " gr\u00c3\u00bcn\nhalf a")):  # UTF-8, a byte a character
        events.append({"ph": "i", "pid": 1, "tid": 1000000, "cat": "console", "ts": at, "name": "console", "args": {"text": text}})
    events.append({"ph": "X", "pid": 2, "tid": 5, "cat": "syscall", "ts": 10, "dur": 9000, "name": "execve", "args": {"task": 5}})
    return {"displayTimeUnit": "ns", "traceEvents": events, "otherData": {"every": 1, "dropped": 17, "over_limit": 0, "lost_by_guest": 0}}


class Report(unittest.TestCase):
    """The command, without a browser."""

    def test_the_page_never_takes_the_place_of_the_trace(self):
        """Where the name of the trace has no room for ".html" behind it, there is no page."""
        with tempfile.TemporaryDirectory() as directory:
            path = directory
            while len(path) < PATH_MAX - 250:
                path += "/" + 200 * "d"
            os.makedirs(path)
            path += "/" + (PATH_MAX - 2 - len(path)) * "t"
            trace = json.dumps(sample())
            pathlib.Path(path).write_text(trace)
            done = subprocess.run([ROOT / "build/terrarium", "report", path], capture_output=True, text=True, check=False)
            self.assertEqual(pathlib.Path(path).read_text(), trace)
            self.assertEqual(done.returncode, 120)


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
        body = re.sub(r"<script.*?</script>", "", page, flags=re.S)
        rows = [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall("<td.*?</td>", row)]
                for row in re.findall("<tr>.*?</tr>", body)]
        busy = sum(event["dur"] for event in sample()["traceEvents"] if event.get("cat") == "exit")
        with self.subTest("numbers"):
            for part in ("59.96 ms</b>", "1,201</b>", f"{busy / 1000:.2f} ms</b>", "17 events are missing"):
                self.assertIn(part, body)
        with self.subTest("sums"):
            uart = ["1,200", "13.20 ms", "11.0 µs", "12.0 µs", ""]
            self.assertIn(["out uart16550", *uart], rows, "two functions, one kind of exit")
            self.assertIn(["io", *uart], rows)
            self.assertIn(["uart16550", *uart], rows)
            self.assertIn(["no device", "1", "4.00 µs", "4.00 µs", "4.00 µs", ""], rows)
            self.assertIn(["uart_write", "600", "6.60 ms", "11.0 µs", "12.0 µs", ""], rows)
            self.assertIn(["execve", "1", "9.00 ms", "9.00 ms", "9.00 ms", ""], rows)
        with self.subTest("console"):
            self.assertIn([NASTY + " grün", "602", "6.61 ms", "out uart16550 × 601"], [row[1:] for row in rows])
            self.assertIn(["half a", "0", "0.00 µs", ""], [row[1:] for row in rows])
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
