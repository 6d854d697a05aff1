"""The options of the command line, and their help. Their names are those of curl."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NoReturn

from .._version import __version__
from .outputs import REMOTE_NAME
from .route import add_options
from .unknown import unknown_options
from .usage import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED = re.compile("'.*'|\".*\"", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """A parser that reports mistakes as `UsageError`, so that they are printed as one line."""

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Raise `UsageError` for an option that does not exist."""
        if unknown := unknown_options(self, words):
            raise UsageError(f"unknown option {', '.join(unknown)} (see --help)")

    def error(self, message: str) -> NoReturn:
        # A quoted argument may be a secret.
        raise UsageError(f"{_QUOTED.sub('...', message)} (see --help)")


def parser() -> Parser:
    """Return the parser of the command line."""
    made = Parser(
        prog="python -m mint",
        description="Fetch URLs over HTTP/1.1 and HTTP/2, and write the content of the responses. "
        "For transcripts, see 'python -m mint replay --help' and 'python -m mint shrink --help'.",
        epilog="Exit codes: 0 success, 1 redirect to a scheme that is not allowed, 2 invalid command line or "
        "request, 3 invalid URL, 6 host not found, 7 connection refused or host unreachable, 8 the server "
        "violated HTTP, 22 status 400 or above with -f, 23 output cannot be written, 26 file of -T cannot be "
        "read, 28 timeout, 35 TLS failed, 47 too many redirects, 56 connection lost, 60 certificate "
        "rejected, 61 content cannot be decoded, 63 content larger than --max-filesize, 65 content cannot be "
        "sent again, 97 the proxy refused or failed, 130 interrupted. If several transfers fail, the exit "
        "code is that of the first one.",
    )
    add = made.add_argument
    add("urls", nargs="*", metavar="URL", help="a URL to fetch; a connection is kept open for the next URLs")
    _add_request(made)
    _add_response(made)
    add("-k", "--insecure", action="store_true", help="do not check the certificate")
    add("--cacert", metavar="FILE", help="trust only the certificates in this PEM file")
    add("--cert", metavar="FILE", help="a PEM file with the client certificate")
    add("--key", metavar="FILE", help="a PEM file with the key of the client certificate")
    add("--http1.1", action="store_true", dest="http1", help="use only HTTP/1.1")
    add("--http2", action="store_true", help="use only HTTP/2 (over TLS)")
    add("--h2c", action="store_true", help="use HTTP/2 without TLS, with prior knowledge")
    add("-m", "--max-time", metavar="SECONDS", help="give up after this many seconds in total")
    add(
        "--connect-timeout",
        metavar="SECONDS",
        default="30",
        help="the time limit for each connection (default 30)",
    )
    add(
        "-Z",
        "--parallel",
        action="store_true",
        help="fetch the URLs at the same time; HTTP/2 shares a connection",
    )
    add("--parallel-max", metavar="COUNT", default="50", help="the most URLs at the same time (default 50)")
    add("--unix-socket", metavar="PATH", help="connect to this socket instead of the host")
    add("--record", metavar="FILE", help="write a transcript, for 'python -m mint replay FILE'")
    add("--record-secrets", action="store_true", help="keep credentials and cookies in the transcript")
    add_options(made)
    add("--version", action="version", version=f"mint {__version__}")
    return made


def _add_request(made: Parser) -> None:
    add = made.add_argument
    add(
        "-X",
        "--request",
        metavar="METHOD",
        help="the method (default GET; POST with -d or --json; PUT with -T)",
    )
    add(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="LINE",
        help="send this header field, 'name: value'",
    )
    add(
        "-d",
        "--data",
        action="append",
        default=[],
        metavar="DATA",
        help="send this content; @FILE reads a file, @- stdin",
    )
    add(
        "--json",
        action="append",
        default=[],
        metavar="DATA",
        help="send this content as JSON; @FILE as for -d",
    )
    add(
        *("-T", "--upload-file"),
        action="append",
        default=[],
        metavar="FILE",
        help="send this file, one for each URL; - for stdin",
    )
    add("-I", "--head", action="store_true", help="send a HEAD request, and print the header fields")
    add(
        "-u",
        "--user",
        metavar="NAME:PASSWORD",
        help="send these Basic credentials; without a password, ask for it",
    )
    add("-L", "--location", action="store_true", help="follow redirects")
    add(
        "--max-redirs",
        metavar="COUNT",
        default="50",
        help="how many redirects to follow at most (default 50)",
    )
    add(
        "--proto-redir",
        metavar="SCHEMES",
        help="the schemes to which redirects may lead: http,https (by default, https may not lead to http)",
    )
    add("--compressed", action="store_true", help="request compressed content, and decode it")


def _add_response(made: Parser) -> None:
    add = made.add_argument
    add(
        "-f",
        "--fail",
        action="store_true",
        help="treat a status of 400 or above as a failure, and write no content",
    )
    add("-i", "--include", action="store_true", help="also print the status, headers and trailers")
    add(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FILE",
        help="write the content to this file, one for each URL",
    )
    add(
        *("-O", "--remote-name"),
        action="append_const",
        dest="output",
        const=REMOTE_NAME,
        help="write the content to a file named like the last part of the URL's path",
    )
    add(
        "--max-filesize",
        metavar="BYTES",
        help="give up if the content is larger than this, before or after decoding",
    )
    add("-w", "--write-out", metavar="FORMAT", help="print this after each transfer, with %%{variables}")
    add("-v", "--verbose", action="store_true", help="print on stderr what is sent and received")
    add("-s", "--silent", action="store_true", help="print no progress and no error messages")
    add("-S", "--show-error", action="store_true", help="print error messages even with -s")
