"""Runs mock_clients.mjs, the conformance tests of npm's clients, on a signed jobqmock."""
import os
import subprocess
import sys

import livelib

packages = os.path.join(livelib.ROOT, "build", "e2e")
mock = livelib.Mock()
script = os.path.join(livelib.ROOT, "tests", "e2e", "mock", "mock_clients.mjs")
done = subprocess.run(["node", "--no-warnings", script, mock.url, packages],
                      env={**os.environ, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"})
livelib.check(mock.proc.poll() is None, "jobqmock ended by itself")
sys.exit(done.returncode)
