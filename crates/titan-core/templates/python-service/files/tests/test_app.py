"""What the app answers."""

import html
import json
import unittest

from service import project
from service.app import handle


class AppTest(unittest.TestCase):
    def test_the_page_shows_the_words_escaped(self) -> None:
        response = handle("GET", "/")
        self.assertEqual((response.status, response.content_type), (200, "text/html; charset=utf-8"))
        self.assertIn(f"<h1>{html.escape(project.TITLE)}</h1>", response.body.decode())

    def test_about_says_the_same_in_json(self) -> None:
        about = json.loads(handle("GET", "/api/about").body)
        self.assertEqual(about["title"], project.TITLE)
        self.assertEqual(about["features"], project.FEATURES)

    def test_it_is_healthy(self) -> None:
        self.assertEqual(json.loads(handle("GET", "/health").body), {"status": "ok"})

    def test_what_is_not_there_and_what_is_not_taken_is_said(self) -> None:
        self.assertEqual(handle("GET", "/nothing").status, 404)
        self.assertEqual(handle("POST", "/health").status, 405)
