"""Put jobs on a queue, ask how they stand and read what they gave, by libjobq.

    from jobq import Enqueuer
    queue = Enqueuer("render", visibility_timeout=300)
    job_id = queue.enqueue({"kind": "exec", "frame": "12"})
    print(queue.status(job_id).state)
    print(queue.result(job_id, wait=60).output)

Jobs may be functions of a module, here tasks.py:

    import jobq
    @jobq.job
    def add(a, b):
        return a + b

    job_id = add.enqueue(queue, 1, 2)                   # here
    # jobq drain render -n 4 --exec "python3 -m jobq worker tasks"
    print(queue.result(job_id, wait=60).value)          # 3

Region, endpoints and credentials are found as AWS's SDKs find them. Objects may be shared by
threads; calls let other threads run. A call takes 120 s at most while the services do not answer,
or `timeout` seconds, the Enqueuer's or its own; Ctrl-C, or whatever a signal handler raises, ends
it at once, and the Enqueuer stays usable. Any thread may close one that others use: it waits for calls
under way, and later ones raise Closed. After os.fork() the child makes an Enqueuer of its own.
"""
import copy
import ctypes
import datetime
import functools
import http.client
import importlib
import json
import logging
import os
import socket
import sys
import threading
import traceback
import urllib.parse

__all__ = ["Enqueuer", "Status", "Result", "job", "status_app", "JobFailed", "JobqError", "Invalid", "Limit",
           "NotFound", "Conflict",
           "Denied", "Corrupt", "TryLater", "Closed"]

ID_MAX = 112


class JobqError(Exception):
    """code: a negative number of jobq/error.h; name: "throttled", "not found", ..."""

    def __init__(self, code, name, text):
        super().__init__(text)
        self.code, self.name = code, name


class TryLater(JobqError):
    """TIMEOUT, THROTTLED or UNAVAILABLE. After the first and last the job may be queued."""


class NotFound(JobqError):
    pass


class Conflict(JobqError):
    pass


class Denied(JobqError):
    pass


class Invalid(JobqError, ValueError):
    pass


class Corrupt(JobqError):
    pass


class Limit(JobqError, ValueError):
    """A documented limit; the text names it."""


class JobFailed(JobqError):
    """The job is dead or was cancelled; the text ends with its last output."""


class Closed(JobqError, ValueError):
    """The Enqueuer was closed before the call; nothing was written."""


_CLASSES = {-1: TryLater, -2: TryLater, -3: TryLater, -4: NotFound, -5: Conflict, -6: Denied,
            -7: Invalid, -8: Corrupt, -9: Limit, -10: Closed}


class _Dict(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class _Job(ctypes.Structure):
    _fields_ = [("dict", ctypes.POINTER(_Dict)), ("count", ctypes.c_int),
                ("delay_s", ctypes.c_double), ("id", ctypes.c_char * ID_MAX),
                ("code", ctypes.c_int), ("key", ctypes.c_char_p),
                ("setting", ctypes.POINTER(_Dict)), ("settings", ctypes.c_int)]


class _Status(ctypes.Structure):
    _fields_ = [("state", ctypes.c_char * 16), ("attempt", ctypes.c_int64),
                ("enqueued_ms", ctypes.c_int64), ("started_ms", ctypes.c_int64),
                ("finished_ms", ctypes.c_int64), ("exit_code", ctypes.c_int64),
                ("wall_s", ctypes.c_double), ("cpu_s", ctypes.c_double),
                ("box", ctypes.c_char * 24), ("output", ctypes.c_char * 4097),
                ("progress_percent", ctypes.c_int8), ("output_cut", ctypes.c_int8),
                ("output_bytes", ctypes.c_int)]


class _Request(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("job", ctypes.POINTER(_Job)),
                ("count", ctypes.c_int64), ("id", ctypes.c_char_p),
                ("timeout_s", ctypes.c_double), ("wait_s", ctypes.c_double)]


_Log = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class _PageOptions(ctypes.Structure):
    _fields_ = [("token", ctypes.c_char_p), ("allow_host", ctypes.c_char_p),
                ("read_only", ctypes.c_int), ("setting", ctypes.POINTER(_Dict)),
                ("setting_count", ctypes.c_int), ("log", _Log), ("log_ctx", ctypes.c_void_p)]


_OPEN, _ENQUEUE, _STATUS, _CANCEL, _RESULT = range(5)
_SLICE_S = 0.05  # how long a signal's handler waits for its turn at most


def _load():
    """JOBQ_LIBRARY, else the system's libjobq.so.0."""
    lib = ctypes.CDLL(os.environ.get("JOBQ_LIBRARY") or "libjobq.so.0")
    error = ctypes.c_void_p  # as long as the library says, see _error
    lib.jobq_version.restype = ctypes.c_char_p
    lib.jobq_code_name.restype = ctypes.c_char_p
    lib.jobq_code_name.argtypes = [ctypes.c_int]
    lib.jobq_error_size.restype = ctypes.c_size_t
    lib.jobq_error_code.argtypes = [error]
    lib.jobq_error_text.restype = ctypes.c_char_p
    lib.jobq_error_text.argtypes = [error]
    lib.jobq_enqueuer_open.restype = ctypes.c_void_p
    lib.jobq_enqueuer_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(_Dict), ctypes.c_int,
                                       ctypes.c_double, error]
    lib.jobq_enqueuer_close.restype = None
    lib.jobq_enqueuer_close.argtypes = [ctypes.c_void_p]
    lib.jobq_enqueuer_free.restype = None
    lib.jobq_enqueuer_free.argtypes = [ctypes.c_void_p]
    lib.jobq_begin.restype = ctypes.c_void_p
    lib.jobq_begin.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Request), error]
    lib.jobq_wait.argtypes = [ctypes.c_void_p, ctypes.c_double]
    lib.jobq_end.restype = ctypes.c_int64
    lib.jobq_end.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Job), ctypes.POINTER(_Status),
                             error]
    lib.jobq_page_open.restype = ctypes.c_void_p
    lib.jobq_page_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(_PageOptions), error]
    lib.jobq_page_connect.argtypes = [ctypes.c_void_p, error]
    lib.jobq_page_close.restype = None
    lib.jobq_page_close.argtypes = [ctypes.c_void_p]
    return lib


class _Unloaded:
    """The library before its first use: a worker has none."""

    def __getattr__(self, name):
        global _lib
        if isinstance(_lib, _Unloaded):
            _lib = _load()
        return getattr(_lib, name)


_lib = _Unloaded()


def __getattr__(name):
    if name == "__version__":
        return _lib.jobq_version().decode()
    raise AttributeError("module 'jobq' has no attribute %r" % name)


def _error():
    """A struct jobq_error of the library that is loaded, whatever its length there."""
    return ctypes.create_string_buffer(_lib.jobq_error_size())


def _raise(code, error):
    name = _lib.jobq_code_name(code).decode()
    raise _CLASSES.get(code, JobqError)(code, name, _lib.jobq_error_text(error).decode("utf-8", "replace"))


def _bytes(value, what):
    """str, bytes, int, float and bool become the bytes of their text."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (int, float)):
        value = repr(value)
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise TypeError("%s is no str, bytes, number or bool but %s" % (what, type(value)))
    if b"\0" in value:
        raise ValueError("%s holds a NUL byte" % what)
    return value


def _pairs(job):
    pairs = (_Dict * len(job))()
    for pair, (name, value) in zip(pairs, job.items()):
        pair.name = _bytes(name, "name")
        pair.value = _bytes(value, "value of %r" % (name,))
    return pairs


def _settings(settings):
    """Names with _ for -; durations are text ("90s"), seconds or a timedelta."""
    return _pairs({name.replace("_", "-"): value.total_seconds() if isinstance(value, datetime.timedelta) else value
                   for name, value in settings.items()})


def _timeout(seconds):
    if not seconds > 0:
        raise ValueError("timeout is not above 0: %r" % (seconds,))
    return float(seconds)


class Status:
    """How a job stands: state, attempt, enqueued_ms, started_ms, finished_ms, exit_code,
    wall_s, cpu_s, box, output (bytes: the last that it printed, 4 KiB at most; of primes the
    count); cut: it printed more than that; progress_percent, 0 to 100, of a running job that has
    told any, else None."""

    def __init__(self, raw):
        self.state = raw.state.decode()
        self.attempt = raw.attempt
        self.enqueued_ms, self.started_ms = raw.enqueued_ms, raw.started_ms
        self.finished_ms, self.exit_code = raw.finished_ms, raw.exit_code
        self.wall_s, self.cpu_s = raw.wall_s, raw.cpu_s
        self.progress_percent = raw.progress_percent if raw.progress_percent >= 0 else None
        self.box = raw.box.decode("utf-8", "replace")
        field = _Status.output
        self.output = bytes(bytearray(raw)[field.offset:field.offset + raw.output_bytes])
        self.cut = bool(raw.output_cut)

    def __repr__(self):
        return "<Status %s, attempt %d>" % (self.state, self.attempt)


class Result(Status):
    """A job that has ended: its status, and the value of one that a Python worker ran."""

    @property
    def value(self):
        """What the function returned, through JSON. Raises JobFailed: the job is dead or was
        cancelled; Limit: the value was too large to be kept; ValueError: there is none."""
        if self.state != "done":
            raise JobFailed(-5, self.state, "the job is %s, exit code %d: %s" % (
                self.state, self.exit_code, self.output.decode("utf-8", "replace").strip()))
        for line in reversed(self.output.split(b"\n")):
            if line.startswith(_VALUE):
                return json.loads(line[len(_VALUE):].decode())
            if line.startswith(_TOO_LARGE):
                raise Limit(-9, "limit", "the value has %s bytes, and a row keeps '%d'" % (
                    line[len(_TOO_LARGE):].decode(), VALUE_MAX))
        raise ValueError("the job gave no value: no Python worker ran it")


class Enqueuer:
    """A queue by name, made when it is missing. visibility_timeout: seconds, set as the
    queue's attribute; None: the queue's own. timeout: seconds that each call may take, up to
    86,400; a call past it raises TryLater, and the job may be on the queue, or come there
    later. settings: the other settings of `jobq enqueue`, '_' for '-', values as that reads
    them: keep="30d", payload_in="store"."""

    def __init__(self, queue, visibility_timeout=None, timeout=120.0, **settings):
        error = _error()
        if visibility_timeout is not None:
            if not float(visibility_timeout) >= 0:
                raise ValueError("visibility_timeout is negative")
            settings.setdefault("visibility", "%.9fs" % visibility_timeout)
        pairs = _settings(settings)
        self._handle = _lib.jobq_enqueuer_open(_bytes(queue, "queue"), pairs, len(pairs),
                                               _timeout(timeout), error)
        if not self._handle:
            _raise(_lib.jobq_error_code(error), error)
        self._call(_Request(kind=_OPEN))

    def _call(self, request, timeout=None, jobs=None, status=None):
        """What jobq_end returns, and the error. Waits in slices, between which Python runs the
        handlers of signals: what one raises gives the call up."""
        error = _error()
        if timeout is not None:
            request.timeout_s = _timeout(timeout)
        call = _lib.jobq_begin(self._handle, ctypes.byref(request), error)
        if not call:
            _raise(_lib.jobq_error_code(error), error)
        try:
            while not _lib.jobq_wait(call, _SLICE_S):
                pass
        except BaseException:
            _lib.jobq_end(call, None, None, None)
            raise
        code = int(_lib.jobq_end(call, jobs, status, error))
        if code < 0:
            _raise(code, error)
        return code, error

    def enqueue(self, job, delay=0.0, timeout=None, key=None, **settings):
        """Put one dict of names and values on the queue; returns its id.

        kind (sleep, primes, exec), seconds and n are the toolkit's, all others are payload.
        Without a kind any payload means exec, seconds alone sleep, n alone primes; payload
        beside seconds or n raises Invalid.

        key: of the jobs with this key (str or bytes, 1 to 255 bytes) one is enqueued, and all get
        its id, for the queue's retention: a call that may or may not have taken effect can be
        repeated. settings: attempts, time_limit and backoff of this job, in place of its
        drainer's: attempts=3, time_limit=90, backoff="1min"."""
        return self.enqueue_many([job], delay, timeout, [key], **settings)[0]

    def enqueue_many(self, jobs, delay=0.0, timeout=None, keys=None, **settings):
        """Put many; returns their ids. If any was not acknowledged, raises its error, whose
        attribute `ids` holds the ids by position, None for those that failed. keys: one a job,
        None for a job without."""
        raw = (_Job * len(jobs))()
        own = _settings(settings)
        keep = []
        if keys is not None and len(keys) != len(jobs):
            raise ValueError("%d keys for %d jobs" % (len(keys), len(jobs)))
        for slot, job, key in zip(raw, jobs, keys or [None] * len(jobs)):
            pairs = _pairs(job)
            keep.append(pairs)
            slot.dict = pairs
            slot.count = len(job)
            slot.delay_s = delay
            slot.setting, slot.settings = own, len(own)
            slot.key = None if key is None else _bytes(key, "key")
        done, error = self._call(_Request(kind=_ENQUEUE, job=raw, count=len(jobs)), timeout,
                                 jobs=raw)
        ids = [slot.id.decode() if slot.code == 0 else None for slot in raw]
        if done < len(jobs):
            try:
                _raise(next(slot.code for slot in raw if slot.code), error)
            except JobqError as problem:
                problem.ids = ids
                raise
        return ids

    def status(self, job_id, timeout=None):
        raw = _Status()
        self._call(_Request(kind=_STATUS, id=_bytes(job_id, "job_id")), timeout,
                   status=ctypes.byref(raw))
        return Status(raw)

    def result(self, job_id, wait=0.0, timeout=None):
        """What a job gave: its Result, once it has ended. Looks again until then, `wait` seconds
        at most, after 1 s at first and then less often, up to every 15 s; each look is one
        read of the row. Raises TryLater if the job has not ended, Invalid where no rows
        are kept."""
        raw = _Status()
        request = _Request(kind=_RESULT, id=_bytes(job_id, "job_id"), wait_s=float(wait))
        self._call(request, timeout, status=ctypes.byref(raw))
        return Result(raw)

    def cancel(self, job_id, timeout=None):
        self._call(_Request(kind=_CANCEL, id=_bytes(job_id, "job_id")), timeout)

    def close(self):
        """Wait for the calls that other threads are in, and end. Later calls raise Closed."""
        _lib.jobq_enqueuer_close(self._handle)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def __del__(self):
        # Nobody is in a call, for a call holds a reference: the memory can go.
        if getattr(self, "_handle", None):
            _lib.jobq_enqueuer_free(self._handle)


class _Page:
    """The page of one process: its handle, ended with it."""

    def __init__(self, queue, options):
        error = _error()
        self.pid = os.getpid()
        self._handle = _lib.jobq_page_open(queue, ctypes.byref(options), error)
        if not self._handle:
            _raise(_lib.jobq_error_code(error), error)

    def connect(self):
        error = _error()
        fd = _lib.jobq_page_connect(self._handle, error)
        if fd < 0:
            _raise(fd, error)
        return socket.socket(fileno=fd)

    def __del__(self):
        if getattr(self, "_handle", None):
            _lib.jobq_page_close(self._handle)


def _log_line(ctx, line):
    logging.getLogger("jobq").warning("%s", line.decode("utf-8", "replace"))


# What the page's guard and its server go by; nothing else of a request is passed on.
_PASSED = {"HTTP_HOST": "Host", "HTTP_AUTHORIZATION": "Authorization", "HTTP_ORIGIN": "Origin",
           "HTTP_SEC_FETCH_SITE": "Sec-Fetch-Site", "REMOTE_ADDR": "X-Jobq-From"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
_BODY_MAX = 4096  # the page refuses longer ones


class _StatusApp:
    def __init__(self, queue, options, events):
        self._queue, self._options, self._events = queue, options, events
        self._renew()
        self._page = _Page(queue, options)  # what is wrong with the options is said now
        os.register_at_fork(after_in_child=self._renew)

    def _renew(self):
        # Another thread may have held the lock when this process was forked.
        self._lock = threading.Lock()

    def _connect(self):
        with self._lock:
            if self._page.pid != os.getpid():
                self._page = _Page(self._queue, self._options)
            return self._page.connect()

    def __call__(self, environ, start_response):
        path = urllib.parse.quote(environ.get("PATH_INFO", "").encode("latin-1")) or "/"
        follows = path == "/events"
        if follows and not self._events:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"events are not served here: the page asks anew every 5 s\n"]
        if environ.get("QUERY_STRING"):
            path += "?" + environ["QUERY_STRING"]
        connection = http.client.HTTPConnection("page")
        connection.sock = self._connect()
        connection.sock.settimeout(None if follows else 60)
        connection.putrequest(environ["REQUEST_METHOD"], path, skip_host=True,
                              skip_accept_encoding=True)
        for name, header in _PASSED.items():
            if name in environ:
                connection.putheader(header, environ[name])
        length = environ.get("CONTENT_LENGTH") or "0"
        body = environ["wsgi.input"].read(min(int(length), _BODY_MAX + 1)) if length.isdigit() else b""
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        reply = connection.getresponse()
        start_response("%d %s" % (reply.status, reply.reason),
                       [pair for pair in reply.getheaders() if pair[0].lower() not in _HOP_BY_HOP])
        return _pieces(connection, reply) if follows else _whole(connection, reply)


def _whole(connection, reply):
    try:
        return [reply.read()]
    finally:
        connection.close()


def _pieces(connection, reply):
    try:
        yield from iter(lambda: reply.read1(65536), b"")
    finally:
        connection.close()


def status_app(queue, token=None, allow_hosts=(), read_only=False, events=False, **settings):
    """The status page of a queue as a WSGI application: the bytes of `jobq serve`, without
    dollars, for which the library has no prices.

        application = jobq.status_app("render", token=open("token").read().strip())

    Serve it at the root of a name or port. token: 16 to 256 printable bytes that readers and
    actions must bear; without one everybody whose request names this machine, or one of
    allow_hosts, may read, and nobody act. events: follow changes (server-sent events), which
    takes a thread of the server for each reader; else a page that is open asks every 5 s.
    settings: refresh="30s", store="none", ...: as `jobq serve` reads them. Each action is a
    line of the logger "jobq". A server may fork after this call: each process reads the queue
    for itself, from its first request on."""
    pairs = _settings(settings)
    log = _Log(_log_line)
    options = _PageOptions(token=None if token is None else _bytes(token, "token"),
                           allow_host=_bytes(",".join(allow_hosts), "allow_hosts") or None,
                           read_only=read_only, setting=pairs, setting_count=len(pairs), log=log)
    return _StatusApp(_bytes(queue, "queue"), options, events)


# ---- jobs written in Python -------------------------------------------------------------------
#
# A job is the name of a function and its arguments as JSON, the payload of an exec job. A worker
# (python3 -m jobq worker MODULE...) is the drainer's command, one process a job: it reads the
# payload, runs the function, and prints the value as the last line. What the job prints itself
# comes before, and cannot be taken for the value.

VALUE_MAX = 4000  # bytes of a value as JSON, as a row writes them: '%' counts three
_VALUE = b"jobq-value "
_TOO_LARGE = b"jobq-value-too-large "
_jobs = {}


class Job:
    """A function that a worker can run. Calling it runs it here."""

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function, self.name = function, function.__name__
        self.how = {}
        if self.name in _jobs and _jobs[self.name].function.__module__ != function.__module__:
            raise ValueError("two jobs are named %r" % self.name)
        _jobs[self.name] = self

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def options(self, **how):
        """The same job, put on the queue with these arguments of Enqueuer.enqueue, as delay=60."""
        job = copy.copy(self)
        job.how = {**self.how, **how}
        return job

    def enqueue(self, queue, *args, **kwargs):
        """Put a call on the queue; returns its id. The arguments go through JSON: tuples arrive as
        lists, keys as str. TypeError: JSON has no such type."""
        call = {"job": self.name, "args": args, "kwargs": kwargs}
        return queue.enqueue({"kind": "exec", "payload": _json(call)}, **self.how)


def job(function):
    """Makes a function of a module a job, by its name."""
    return Job(function)


def _json(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()


def _value_line(value):
    # ASCII, so that no cut parts a character.
    text = json.dumps(value, separators=(",", ":")).encode()
    size = len(text) + 2 * (text.count(b"%") + text.count(b"\x7f"))
    return _VALUE + text if size <= VALUE_MAX else _TOO_LARGE + b"%d" % size


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def _worker(modules):
    """Runs the job on standard input; returns the exit code."""
    out = os.dup(1)  # the job may close or replace its own
    for module in modules:
        importlib.import_module(module)
    try:
        call = json.loads(sys.stdin.buffer.read().decode())
        name, args, kwargs = call["job"], call["args"], call["kwargs"]
    except (ValueError, KeyError, TypeError) as why:
        print("jobq worker: the payload is no call of a Python job: %r" % why, file=sys.stderr)
        return 2
    if name not in _jobs:
        print("jobq worker: %s has no job %r" % (", ".join(modules), name), file=sys.stderr)
        return 2
    try:
        line = _value_line(_jobs[name](*args, **kwargs))
    except Exception:
        traceback.print_exc()
        return 1
    _flush()
    os.write(out, b"\n" + line + b"\n")
    # What is printed from here on, at exit, must not push the value out of what is kept.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return 0


def _main(argv):
    if len(argv) < 3 or argv[1] != "worker":
        print("usage: python3 -m jobq worker MODULE...", file=sys.stderr)
        return 2
    # The modules import jobq by name: this very module, with its table of jobs.
    sys.modules["jobq"] = sys.modules["__main__"]
    return _worker(argv[2:])


if __name__ == "__main__":
    sys.exit(_main(sys.argv))
