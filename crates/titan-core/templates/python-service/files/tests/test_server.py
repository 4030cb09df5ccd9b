"""The service over a real socket."""

import threading
import unittest
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer

from service.server import Handler


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tearDown(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ask(self, method: str, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection(*self.server.server_address[:2], timeout=10)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def test_it_answers(self) -> None:
        self.assertEqual(self.ask("GET", "/health?x=1"), (200, b'{"status": "ok"}'))
        self.assertEqual(self.ask("HEAD", "/health"), (200, b""))
        self.assertEqual(self.ask("DELETE", "/health")[0], 405)
        self.assertEqual(self.ask("GET", "/nothing")[0], 404)
