"""Serves git repositories by git's own `http-backend`, as a web server would: serve.py ADDRESS FOLDER [CERTIFICATE KEY]. With a
certificate over https.

The folder holds bare repositories. Beneath `private/` it asks for a password, beneath `moved/` it sends elsewhere. Beneath
`token/` it wants what the file `authorization` says as `Authorization`; beneath `echo/` it refuses everybody and says what it was told.
Beneath `busy/` and `down/` it is asked too often, and in trouble. While there is a
file `hold` in the folder, nothing is sent of what a client fetches. Each request is a line of the file `requests`.
"""

import os
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST_HOLD = 120

address, folder, *secure = sys.argv[1:]
host, port = address.rsplit(":", 1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def is_known(self):
        with open(os.path.join(folder, "authorization"), encoding="utf-8") as file:
            return self.headers.get("Authorization") == file.read()

    def backend(self):
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as log:
            log.write(f"{self.command} {self.path}\n")
        path, _, query = self.path.partition("?")
        if path.startswith("/private/"):
            return self.answer(401, WWW_Authenticate='Basic realm="private"')
        if path.startswith("/moved/"):
            return self.answer(302, Location=f"https://elsewhere.example{self.path}")
        if path.startswith("/token/") and not self.is_known():
            return self.answer(401, WWW_Authenticate='Basic realm="token"')
        if path.startswith("/echo/"):
            said = f"nobody may, also not {self.headers.get('Authorization')}\n"
            return self.answer(403, said.encode(), Content_Type="text/plain")
        if path.startswith("/busy/"):
            return self.answer(429)
        if path.startswith("/down/"):
            return self.answer(503)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # `ls-refs` and `fetch` are one address; what is fetched is what is held.
        if self.command == "POST" and b"command=fetch" in body:
            until = time.monotonic() + LONGEST_HOLD
            while os.path.exists(os.path.join(folder, "hold")) and time.monotonic() < until:
                time.sleep(0.02)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)

    do_GET = backend
    do_POST = backend


server = ThreadingHTTPServer((host, int(port)), Handler)
if secure:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*secure)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(f"git server listening address={host}:{server.server_address[1]}", flush=True)
server.serve_forever()
