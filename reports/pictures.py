#!/usr/bin/python3
"""The README's answer, with the day's date, and its pictures: reports/report.png, the first
screen of the report that the demo made, and reports/page.png, the status page of a queue on
jobqmock.

usage: make pictures        (needs chromium; make demo first)"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from livelib import Mock, wait_for  # noqa: E402


def shoot(url, name, width, height):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit("pictures: chromium is not installed")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        "--user-data-dir=" + profile, "--window-size=%d,%d" % (width, height),
                        "--screenshot=" + os.path.join(ROOT, "reports", name), url],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


def page():
    mock = Mock()
    log = os.path.join(mock.dir, "log")
    mock.jobq("enqueue", "thumbnails", "--batch", "-", input="seconds=3\n" * 900)
    mock.start("drain", "thumbnails", "-n", "12")
    mock.start("drain", "thumbnails", "-n", "8")
    mock.start("serve", "thumbnails", "--listen", "127.0.0.1:0", "--refresh", "5s", log=log)
    wait_for(lambda: re.search(r"http://\S+", open(log).read()), 20, "the page")
    time.sleep(50)  # until the page has drainers and a rate to show
    shoot(re.search(r"http://[0-9.:]+", open(log).read()).group(0) + "/", "page.png", 860, 640)


def answer():
    name = os.path.join(ROOT, "README.md")
    said = subprocess.run([os.path.join(ROOT, "bin", "jobqcost"), "eval", "--short", "-q"],
                          capture_output=True, text=True, check=True).stdout
    block = "".join("    " + line if line.strip() else line for line in said.splitlines(True))
    with open(name) as file:
        text = file.read()
    today = time.strftime("%-d %B %Y", time.gmtime())
    new, count = re.subn(r"The answer of [^,]*, from `bin/jobqcost eval --short`:\n\n(?:(?:    .*)?\n)+",
                         lambda _: "The answer of %s, from `bin/jobqcost eval --short`:\n\n%s\n" % (today, block), text)
    if count != 1:
        sys.exit("pictures: README.md has no answer to replace")
    with open(name, "w") as file:
        file.write(new)


report = os.path.join(ROOT, "reports", "out", "report.html")
if not os.path.exists(report):
    sys.exit("pictures: there is no reports/out/report.html: make demo makes it")
answer()
shoot("file://" + report, "report.png", 860, 1120)
page()
