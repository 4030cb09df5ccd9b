#!/usr/bin/env python3
"""Answers as Titan's daemons do, in the way that BEHAVIOUR says, which is put in its place:

good: as it should; never-ready: /readyz says no; exits: ends at once; errors: every third request fails; slow: every answer takes
its time; blind: no request is counted; stubborn: does not stop when it is asked to."""
import json, os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEHAVES = "BEHAVIOUR"
counted, lock = {}, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        begun = time.monotonic()
        status, text = self.answer(self.path.split("?")[0])
        if BEHAVES == "slow":
            time.sleep(0.06)
        with lock:
            counted["all"] = counted.get("all", 0) + 1
            counted[status] = counted.get(status, 0) + 1
            counted["sum"] = counted.get("sum", 0.0) + time.monotonic() - begun
        body = text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, path):
        if path == "/api/health":
            return 200, json.dumps({"commit": os.environ["TITAN_COMMIT"], "variables": sorted(os.environ)})
        if path == "/readyz":
            return (503 if BEHAVES == "never-ready" else 200), "{}"
        if path == "/metrics":
            return 200, metrics()
        if BEHAVES == "errors" and counted.get("all", 0) % 3 == 0:
            return 500, "{}"
        return 200, "{}"

    def log_message(self, *_):
        pass


def metrics():
    with lock:
        if BEHAVES == "blind":
            return "titan_database_up 1\n"
        lines = ["titan_database_up 1"]
        for status, count in counted.items():
            if isinstance(status, int):
                lines.append('titan_http_requests_total{method="GET",status="%d"} %d' % (status, count))
        lines.append('titan_http_request_seconds_bucket{le="+Inf"} %d' % counted.get("all", 0))
        return "\n".join(lines) + "\n"


print("starts with %s" % os.environ["DATABASE_URL"], flush=True)
if BEHAVES == "exits":
    print("cannot start: no table", flush=True)
    sys.exit(3)
if BEHAVES == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[0].endswith("titan-worker"):
    while True:
        time.sleep(60)
host, port = os.environ["TITAN_BIND"].rsplit(":", 1)
try:
    server = ThreadingHTTPServer((host, int(port)), Handler)
except OSError as error:
    sys.exit("cannot listen on %s (TITAN_BIND): %s" % (os.environ["TITAN_BIND"], error))
server.serve_forever()
