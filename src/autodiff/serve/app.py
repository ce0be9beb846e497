"""The server: three files, and answers to what the page asks. It writes nothing and keeps nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from autodiff.libraries import library
from autodiff.serve.workers import Workers

FOLDER = Path(__file__).parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing is loaded from elsewhere; the explanation's style is inline."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}

LOCAL = ("127.0.0.1", "localhost", "[::1]")
"""Host names of this machine. A request with another one comes from a foreign page by DNS rebinding, and is refused."""


def application(hosts: Sequence[str] = LOCAL) -> Any:
    """The ASGI application, which answers requests to `hosts` only.

    Raises AutodiffError where Starlette, of the extra `web`, is not installed.
    """
    library("starlette", "the page", "web")
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Route

    workers = Workers()
    contents = {path: ((FOLDER / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}

    def host(request: Any) -> str:
        name: str = request.headers.get("host", "")
        before, _, port = name.rpartition(":")
        return before if port.isdecimal() else name

    def checked(endpoint: Any) -> Any:
        async def call(request: Any) -> Any:
            if host(request) not in hosts:
                return PlainTextResponse(f"this page is for {', '.join(hosts)} only\n", 403, HEADERS)
            return await endpoint(request)

        return call

    async def file(request: Any) -> Any:
        content, kind = contents[request.url.path]
        return Response(content, media_type=kind, headers=HEADERS)

    async def ask(request: Any) -> Any:
        reply = await workers.answer({key: value for key, value in request.query_params.items() if len(value) < 20_000})
        return JSONResponse(reply, headers=HEADERS)

    async def missing(request: Any, _: Exception) -> Any:
        return PlainTextResponse("there is nothing here\n", 404, HEADERS)

    @asynccontextmanager
    async def life(_: Any) -> AsyncIterator[None]:
        workers.start()
        yield

    routes = [*(Route(path, checked(file)) for path in FILES), Route("/answer", checked(ask))]
    served = Starlette(routes=routes, lifespan=life, exception_handlers={404: missing})
    served.state.workers = workers
    return served
