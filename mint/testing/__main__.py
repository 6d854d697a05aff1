"""`python -m mint.testing`: run the showcase origin on loopback, as a server for trying out clients."""

import argparse
import ssl
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .._command.unknown import unknown_options
from .._hosts import MAX_PORT
from . import Origin, showcase

# Seconds. A signal that arrives just before a wait does not end it, so no wait is long.
_LONGEST_WAIT = 1.0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m mint.testing",
        description="Serve example responses of every kind on loopback, over HTTP/1.1 and HTTP/2, until "
        "interrupted. The first line of the output is the URL.",
    )
    add = made.add_argument
    add("--port", type=_port, default=0, metavar="PORT", help="listen on this port (default: any free port)")
    add("--tls", action="store_true", help="use TLS, with a new certificate for localhost (needs trustme)")
    only = made.add_mutually_exclusive_group()
    only.add_argument("--http1", action="store_true", help="use only HTTP/1.1")
    only.add_argument("--h2c", action="store_true", help="use only HTTP/2 without TLS, with prior knowledge")
    return made


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT)) and int(text) <= MAX_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"the port must be a number from 0 to {MAX_PORT}, not {text!r}")


def _certificate(folder: Path, protocols: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """Return a context with a new certificate, and a file with the authority that a client has to trust."""
    from .certificates import Authority  # noqa: PLC0415  # it needs an optional dependency

    authority = Authority()
    alpn = [{"http1": "http/1.1", "http2": "h2"}[name] for name in protocols]
    return authority.server_context(alpn=alpn), authority.write_pem(folder / "ca.pem")


def _complain(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the URL, and serve until interrupted; return the exit code."""
    made = parser()
    words = sys.argv[1:] if arguments is None else arguments
    if unknown := unknown_options(made, words):
        made.error(f"unknown option {', '.join(unknown)}")
    given = made.parse_args(words)
    if given.tls and given.h2c:
        made.error("--h2c is HTTP/2 in clear text: not allowed with --tls")
    protocols = ("http1",) if given.http1 else ("http2",) if given.h2c else ("http2", "http1")
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        context, lines = None, []
        if given.tls:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="mint-")))
            try:
                context, trusted = _certificate(folder, protocols)
            except ImportError as error:
                made.error(f"--tls: {error}")
            lines = [f"trust: {trusted}"]
        try:
            server = Origin(showcase, tls=context, port=given.port, protocols=protocols)
            origin = stack.enter_context(server)
        except OSError as error:
            _complain(f"cannot listen on port {given.port}: {error.strerror or error}")
            return 1
        host = origin.address if context is None else "localhost"
        scheme = "http" if context is None else "https"
        try:
            print(f"{scheme}://{host}:{origin.port}/", *lines, sep="\n", flush=True)  # noqa: T201  # its output
        except OSError as error:
            sys.stdout = None  # otherwise Python reports the same error again at exit
            _complain(f"cannot write the URL: {error.strerror or error}")
            return 1
        while True:
            time.sleep(_LONGEST_WAIT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
