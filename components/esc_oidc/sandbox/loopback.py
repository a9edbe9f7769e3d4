"""A WSGI application on a loopback port that the system picks, in a thread of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST: Final = "127.0.0.1"

_POLL: Final = 0.02
"""Seconds until the server notices that it shall stop; half a second by default."""


class _Silent(MotoRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing: a request log between the lines of a program is noise."""


@contextmanager
def serving(application: "WSGIApplication", name: str) -> Iterator[str]:
    """Serve an application until the end of the block; gives its URL, without a slash at the end."""
    server = make_server(HOST, 0, application, threaded=True, request_handler=_Silent)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL}, name=name, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
