"""wrk as the load on small answers: requests, errors and latencies of one run."""

import json
import os
import subprocess

from .processes import Failed
from .servers import needed, write

SCRIPT = """
local depth, path, accept = %d, "%s", "%s"
local headers = {}
if accept ~= "" then headers["Accept"] = accept end
init = function()
    local one = wrk.format("GET", path, headers)
    request_text = string.rep(one, depth)
end
request = function() return request_text end
done = function(summary, latency, requests)
    local e = summary.errors
    io.stderr:write(string.format(
        '{"requests": %%d, "microseconds": %%d, "bytes": %%d, "failed": %%d, "p50": %%f, "p99": %%f, "max": %%f}\\n',
        summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
"""


def wrk(port, path, connections, seconds, folder, depth=1, accept="", threads=1):
    """Requests, seconds and latencies (us) of a run of whole seconds. Raises when an answer was not a 2xx.

    With a depth above 1 so many requests are sent at once on each connection; latencies are then of the whole bunch."""
    script = write(os.path.join(folder, "wrk.lua"), SCRIPT % (depth, path, accept))
    done = subprocess.run(
        [needed("wrk"), "-t", str(min(threads, connections)), "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
         "-s", script, f"http://127.0.0.1:{port}"], capture_output=True, text=True, timeout=seconds + 60)
    try:
        found = json.loads(done.stderr.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Failed(f"wrk: {done.stderr.strip()[-200:] or done.stdout[-200:]}")
    if found["failed"] or not found["requests"]:
        raise Failed(f"wrk at port {port}, {path}: {found['failed']} of {found['requests']} requests failed")
    return found
