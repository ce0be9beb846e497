"""`autodiff serve`: the page to type in."""

from __future__ import annotations

import gc
import socket

import click

from autodiff.cli import streams
from autodiff.cli.main import Helpful
from autodiff.errors import AutodiffError
from autodiff.libraries import library

EPILOG = """\b
Examples:
  autodiff serve --open
  autodiff serve --port 8080
\b
Only this machine is served, unless --host says otherwise. No file is read or written; Ctrl-C ends the server.
"""


@click.command("serve", cls=Helpful, epilog=EPILOG)
@click.option("--port", type=click.IntRange(0, 65535), default=8317, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--open", "shown", is_flag=True, help="Show the page in the browser.")
def command(port: int, host: str, shown: bool) -> int:
    """Serve a page to type formulas into: the explanation and the plot follow as one types."""
    from autodiff.serve.app import LOCAL, application

    host = f"[{host}]" if ":" in host and not host.startswith("[") else host  # as a browser writes an IPv6 address
    hosts = LOCAL if host in LOCAL else (*LOCAL, host)
    served = application(hosts)
    uvicorn = library("uvicorn", "the page", "web")
    listening = _listening(host, port)
    address = f"http://{host}:{listening.getsockname()[1]}/"
    if host not in LOCAL:
        streams.remark(f"notice: others can reach this page at {address}")
    streams.say(f"{address}  (Ctrl-C ends it)")
    gc.enable()  # requests go on for as long as there are some

    class Server(uvicorn.Server):  # type: ignore[misc, name-defined]
        """A server that stops its workers as it exits."""

        def handle_exit(self, sig: int, frame: object) -> None:
            served.state.workers.stop()
            super().handle_exit(sig, frame)

    server = Server(uvicorn.Config(served, log_level="error", timeout_graceful_shutdown=10))
    if shown:
        import webbrowser

        webbrowser.open(address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:  # raised by uvicorn after it has shut down
        streams.remark("stopped")
    return 0


def _listening(host: str, port: int) -> socket.socket:
    """A listening socket, opened first so that a port in use is reported before anything else."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host.strip("[]"), port))
    except OSError as error:
        raise AutodiffError(
            f"can't listen at {host}:{port}: {error.strerror or error}", hint="choose another one, such as --port 0"
        ) from None
    listening.listen(128)
    return listening
