#!/usr/bin/env python3
"""A build of the API that is harmed, in the way that HARM says: the API itself runs behind this.

never-ready: /readyz says no; errors: whoever asks for projects is answered 500; slow: every answer takes a tenth of a second more."""
import http.client, os, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HARM = "HOW"
host, port = os.environ["TITAN_BIND"].rsplit(":", 1)
inner = int(port) + 1 if int(port) < 65000 else int(port) - 1
api = subprocess.Popen([os.environ["BUILT"] + "/titan-api"], env=dict(os.environ, TITAN_BIND="127.0.0.1:%d" % inner))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = 503, b"{}"
        try:
            way = http.client.HTTPConnection("127.0.0.1", inner, timeout=5)
            way.request("GET", self.path, headers={"Host": "127.0.0.1:%d" % inner})
            answer = way.getresponse()
            status, body = answer.status, answer.read()
        except OSError:
            if api.poll() is not None:
                sys.exit("the API has ended")
        if HARM == "never-ready" and self.path == "/readyz":
            status = 503
        if HARM == "errors" and self.path.startswith("/api/projects"):
            status = 500
        if HARM == "slow" and self.path not in ("/metrics", "/api/health"):
            time.sleep(0.1)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
