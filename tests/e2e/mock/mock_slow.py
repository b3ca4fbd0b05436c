"""Clients of jobqmock that trickle a head or a body, or take no answer, are closed within 30 s
and a sweep; others are served meanwhile as if they were not there."""
import json
import socket
import threading
import time

import livelib
from livelib import check

LIMIT_S, SWEEP_S = 30, 3


def trickle(mock, begin, out):
    host, port = mock.url[7:].split(":")
    one = socket.create_connection((host, int(port)), timeout=0.5)
    start = time.monotonic()
    one.sendall(begin)
    while time.monotonic() - start < 2 * LIMIT_S:
        try:
            one.send(b"x")
            if one.recv(1000) == b"":
                break
        except socket.timeout:
            continue
        except OSError:
            break
    out.append(time.monotonic() - start)


def unread(mock, out):
    host, port = mock.url[7:].split(":")
    one = socket.create_connection((host, int(port)))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.setblocking(False)
    start, request = time.monotonic(), b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    last = start
    while time.monotonic() - start < 2 * LIMIT_S:
        try:
            one.send(request)
            last = time.monotonic()
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            break
    out.append(time.monotonic() - last)


def main():
    mock, took = livelib.Mock(signed=False), []
    threads = [threading.Thread(target=trickle, args=(mock, begin, took)) for begin in (
        b"GET /", b"POST / HTTP/1.1\r\nHost: x\r\nX-A: ",
        b"GET /_jobq/healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /",  # pipelined
        b"POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2328\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: ")]
    threads.append(threading.Thread(target=unread, args=(mock, took)))
    for thread in threads:
        thread.start()
    waits = []
    while any(thread.is_alive() for thread in threads):
        start = time.monotonic()
        check(json.loads(mock.get("/_jobq/healthz"))["status"] == "ok", "healthz")
        waits.append(time.monotonic() - start)
        time.sleep(0.1)
    for seconds in took:
        check(LIMIT_S - 2 < seconds < LIMIT_S + SWEEP_S, "closed after %.1f s" % seconds)
    waits.sort()
    check(waits[len(waits) // 2] < 0.05, "others waited %.3f s" % waits[len(waits) // 2])
    print("closed after %s s; others waited %.1f ms" % (
        ", ".join("%.1f" % s for s in sorted(took)), 1000 * waits[len(waits) // 2]))


main()
