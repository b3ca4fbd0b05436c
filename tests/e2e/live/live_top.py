#!/usr/bin/python3
"""jobq top: the page in a terminal that somebody else wrote (tmux). It fits 80x24 and is drawn
again in place, follows a new size, scrolls, gives the terminal back however it ends; without a
terminal it writes plain lines once; and what a page of elsewhere sends cannot drive the terminal."""
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse

from livelib import JOBQ, Mock, check, wait_for

if not shutil.which("tmux"):
    print("SKIP tmux is not here")
    sys.exit(77)
TOKEN = "correct-horse-battery"
mock = Mock(signed=False)
tmux = ["tmux", "-S", mock.dir + "/tmux", "-f", "/dev/null"]


def call(*args):
    return subprocess.run(tmux + list(args), env={**mock.env, "TERM": "xterm"}, cwd=mock.dir, capture_output=True, text=True, check=True).stdout


def screen():
    return call("capture-pane", "-p").rstrip("\n").split("\n")


def seen(pattern):
    return re.search(pattern, "\n".join(screen()), re.M)


def typed(text):
    call("send-keys", "-l", text)
    call("send-keys", "Enter")


def settings(name):
    """What the shell says of its terminal, in a file."""
    path = "%s/%s" % (mock.dir, name)
    typed("stty -g >%s.part; mv %s.part %s" % (path, path, path))
    wait_for(lambda: os.path.exists(path), 10, name)
    return open(path).read()


form = {"Action": "RunInstances", "Version": "2016-11-15", "ImageId": "ami-0abc0abc", "MinCount": 40, "MaxCount": 40, "InstanceType": "t3.micro",
        "TagSpecification.1.ResourceType": "instance", "TagSpecification.1.Tag.1.Key": "jobq:queue", "TagSpecification.1.Tag.1.Value": "top"}
boxes = re.findall("<instanceId>(i-[0-9a-f]+)<", mock.get("/", urllib.parse.urlencode(form).encode()))
for _ in range(3):
    mock.jobq("enqueue", "top", "kind=sleep", "seconds=600")
with open(mock.dir + "/token", "w") as file:
    file.write(TOKEN)
os.chmod(mock.dir + "/token", 0o600)
drain = mock.start("drain", "top", "-n", "2", "--prefetch", "0", "--listen", "127.0.0.1:0", "--token-file", "token", log=mock.dir + "/drain")
wait_for(lambda: re.search(r"http://\S+:\d+/", open(mock.dir + "/drain").read()), 20, "a page")
url = re.search(r"http://\S+:\d+/", open(mock.dir + "/drain").read()).group(0)

# ---- without a terminal: once, plain, every box, no line too long
wait_for(lambda: re.search(r"running +2 ", mock.jobq("top", "top").stdout), 20, "two running jobs")
plain = mock.jobq("top", "top").stdout
check("\033" not in plain and max(map(len, plain.split("\n"))) <= 80, "plain lines: %s" % plain)
check(all(box in plain for box in boxes) and len(plain.split("\n\n")[0].split("\n")) < 20, "boxes and a short head")
check(re.search(r"boxes, an hour +\$0\.4\d+$", plain, re.M), "dollars an hour: " + plain)
of_page = mock.jobq("top", "--page", url, "--token-file", "token").stdout
check("RUNNING HERE" in of_page and len(re.findall(r"^top-\w+ +sleep +1 ", of_page, re.M)) == 2, "its slots: " + of_page)
for args in (("top", "top"), ("top", "--page", url, "--token-file", "token")):
    view = json.loads(mock.jobq(*args, "--json").stdout)
    check(view["schema"] == "jobq.status/1" and view["box_count"] == 40 and view["depth"]["running"] == 2, "JSON of %s: %s" % (args, view))
for args, code, says in ((("top", "nosuch"), 4, "QueueDoesNotExist"), (("top",), 2, "want a queue, or --page"), (("top", "top", "--page", url), 2, "want a queue"),
                         (("top", "--page", url), 77, "wants its token"), (("top", "--page", "ftp://x"), 2, "begins with http"),
                         (("top", "--page", url + "x", "--token-file", "token"), 4, "no status page at"),
                         (("top", "--page", "http://127.0.0.1:1"), 75, "127.0.0.1"), (("top", "top", "--refresh", "1s"), 2, "5s to 1h")):
    done = mock.jobq(*args, check_code=code)
    check(says in done.stderr and done.stdout == "" and TOKEN not in done.stderr, "%s says %s" % (args, done.stderr))

# ---- in a terminal
call("new-session", "-d", "-x", "80", "-y", "24", "env", "PS1=ready$ ", "sh")
call("set", "-g", "status", "off")
before = settings("before")
for end in ("q", "C-c"):
    call("clear-history")
    typed("%s top top --refresh 5s; echo ended $?" % JOBQ)
    wait_for(lambda: seen("^q quits") and seen(r"running +2 "), 20, "the first screen")
    lines = screen()
    check(len(lines) == 24 and lines[0].startswith("Queue top") and lines[23].startswith("q quits"), "80x24: %s" % lines)
    check("DRAINER" in "\n".join(lines) and boxes and "BOX  " in "\n".join(lines), "lists: %s" % lines)
    first = lines[0]
    wait_for(lambda: screen()[0] != first and screen()[0].startswith("Queue top"), 10, "a later screen in its place")
    check(len(screen()) == 24 and call("display", "-p", "#{history_size}").strip() == "0", "the screen has scrolled")
    call("resize-window", "-x", "60", "-y", "12")
    wait_for(lambda: len(screen()) == 12 and screen()[11].startswith("q quits"), 10, "60x12")
    call("resize-window", "-x", "120", "-y", "30")
    wait_for(lambda: len(screen()) == 30 and screen()[29].startswith("q quits"), 10, "120x30")
    head = screen()[1:5]
    check(seen(boxes[0]) or seen("BOX "), "boxes")
    for _ in range(8):
        call("send-keys", "NPage")
    wait_for(lambda: screen()[1:5] == head and all(line.startswith("i-") for line in screen()[12:28]), 10, "the end of the boxes")
    call("send-keys", "g")
    wait_for(lambda: seen("^DRAINER"), 10, "the beginning again")
    call("send-keys", "C-z")
    call("resize-window", "-x", "80", "-y", "24")
    wait_for(lambda: len(screen()) == 24 and screen()[23].startswith("q quits"), 10, "Ctrl-Z does nothing")
    call("send-keys", end)
    wait_for(lambda: seen("^ended %d" % (0 if end == "q" else 130)), 10, "the end by %s" % end)
    check(not seen("^q quits") and seen("ready"), "what stood there before: %s" % screen())
    check(settings("after-" + end) == before, "the terminal's settings after " + end)
    check(call("display", "-p", "#{cursor_flag} #{alternate_on}").split() == ["1", "0"], "the cursor, the first screen")


# ---- a page that ends, and one that lies
def evil(code, body):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_address[1]


lie = evil(200, b"Queue x\n\033[2J\033]0;owned\007\x9b31m\xff\n" + b"y" * 5000 + b"\n" * 5000)
typed("%s top --page %s; echo ended $?" % (JOBQ, lie))
wait_for(lambda: seen("^q quits") and seen("^Queue x"), 10, "a page that lies")
check(screen()[1] == "?[2J?]0;owned??31m?" and len(screen()[2]) == 80 and "owned" not in call("display", "-p", "#{pane_title}"), "%s" % screen())
call("send-keys", "q")
wait_for(lambda: not seen("^q quits"), 10, "its end")
typed("clear; %s top --page %s --token-file token; echo ended $?" % (JOBQ, url))
wait_for(lambda: seen(r"running +2 "), 10, "the drainer's page")
drain.kill()
drain.wait()
wait_for(lambda: seen("^q quits.*not up to date") and seen(r"running +2 "), 15, "a page that has gone")
call("send-keys", "C-c")
wait_for(lambda: seen("^ended 130"), 10, "its end")
check(settings("last") == before, "the terminal's settings at the end")
call("kill-server")
mock.close()
print("ok: top")
