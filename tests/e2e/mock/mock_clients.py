"""Runs mock_clients.mjs and mock_fleet.mjs, the conformance tests of npm's clients, on a signed
jobqmock."""
import os
import subprocess
import sys

import livelib

packages = os.path.join(livelib.ROOT, "build", "e2e")
env = {**os.environ, "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1"}
mock, fleet, other = (livelib.Mock() for _ in range(3))
code = 0
for script, *urls in (("mock_clients.mjs", mock.url), ("mock_fleet.mjs", fleet.url, other.url)):
    path = os.path.join(livelib.ROOT, "tests", "e2e", "mock", script)
    code |= subprocess.run(["node", "--no-warnings", path, *urls, packages], env=env).returncode
livelib.check(all(one.proc.poll() is None for one in (mock, fleet, other)), "jobqmock ended by itself")
sys.exit(code)
