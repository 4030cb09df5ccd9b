"""What is answered to which request. Knows nothing of sockets, so that tests need none."""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass

from service import project


@dataclass(frozen=True)
class Response:
    status: int
    content_type: str
    body: bytes


class NotFound(Exception):
    """There is nothing at this address."""


class MethodNotAllowed(Exception):
    """The address is there, and does not take this method."""


def as_json(status: int, value: object) -> Response:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Response(status, "application/json; charset=utf-8", body)


def page() -> Response:
    features = "".join(f"<li>{html.escape(feature)}</li>" for feature in project.FEATURES)
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(project.TITLE)}</title></head><body>"
        f"<h1>{html.escape(project.TITLE)}</h1><p>{html.escape(project.DESCRIPTION)}</p><ul>{features}</ul>"
        "</body></html>"
    )
    return Response(200, "text/html; charset=utf-8", text.encode())


def about() -> Response:
    words = {"title": project.TITLE, "description": project.DESCRIPTION, "features": project.FEATURES}
    return as_json(200, words)


def health() -> Response:
    return as_json(200, {"status": "ok"})


ROUTES: dict[str, Callable[[], Response]] = {"/": page, "/api/about": about, "/health": health}


def handle(method: str, path: str) -> Response:
    """Answers a request. What goes wrong is answered too, always in the same form."""
    try:
        route = ROUTES.get(path)
        if route is None:
            raise NotFound
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        return route()
    except NotFound:
        return as_json(404, {"error": "not_found", "message": "There is nothing at this address."})
    except MethodNotAllowed:
        return as_json(405, {"error": "method_not_allowed", "message": "This address takes GET."})
