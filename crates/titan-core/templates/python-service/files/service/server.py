"""HTTP around the app."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from service.app import handle


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Who connects and says nothing does not hold a thread for ever.
    timeout = 30

    def answer(self) -> None:
        response = handle(self.command, urlsplit(self.path).path)
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        # A body that nobody reads would be taken for the next request.
        if self.command not in ("GET", "HEAD"):
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


def main() -> None:
    port = os.environ.get("PORT", "8000")
    if not port.isdecimal() or int(port) > 65535:
        sys.exit(f"PORT must be a number from 0 to 65535, and is {port!r}")
    server = ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(port)), Handler)
    # As Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"listening on http://{server.server_address[0]}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
