"""The options of the command line; their help is the manual. Names are curl's."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NoReturn

from .._version import __version__
from .outputs import REMOTE_NAME
from .unknown import unknown_options
from .usage import UsageError
from .way import add_options

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED = re.compile("'.*'|\".*\"", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, like everything else."""

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Raise `UsageError` for an option that does not exist, whatever else is wrong."""
        if unknown := unknown_options(self, words):
            raise UsageError(f"there is no option {', '.join(unknown)} (--help says more)")

    def error(self, message: str) -> NoReturn:
        # What was given may be a secret.
        raise UsageError(f"{_QUOTED.sub('...', message)} (--help says more)")


def parser() -> Parser:
    """Return the parser."""
    made = Parser(
        prog="python -m mint",
        description="Fetch URLs over HTTP/1.1 and HTTP/2 and print what the servers say. "
        "'python -m mint replay --help' and 'python -m mint shrink --help' are about transcripts.",
        epilog="Exit codes: 0 fine, 1 redirect to a scheme that is not allowed, 2 usage, 3 bad URL, "
        "6 unknown host, 7 refused or unreachable, 8 broken HTTP, 22 status 400 or above with -f, "
        "23 cannot write, 26 cannot "
        "read the file of -T, 28 time is up, 35 TLS failed, 47 too many redirects, 56 connection lost, "
        "60 certificate rejected, 61 content cannot be decoded, 63 larger than --max-filesize, 65 content "
        "cannot be sent again, 97 no way through the proxy, 130 interrupted. It is the one of the first "
        "transfer that failed.",
    )
    add = made.add_argument
    add("urls", nargs="*", metavar="URL", help="what to fetch; connections are kept for the next one")
    _add_request(made)
    _add_response(made)
    add("-k", "--insecure", action="store_true", help="do not check the certificate")
    add("--cacert", metavar="FILE", help="trust only the certificates in this PEM file")
    add("--cert", metavar="FILE", help="the client certificate, PEM")
    add("--key", metavar="FILE", help="the key of the client certificate, PEM")
    add("--http1.1", action="store_true", dest="http1", help="speak HTTP/1.1 only")
    add("--http2", action="store_true", help="speak HTTP/2 only (over TLS)")
    add("--h2c", action="store_true", help="speak HTTP/2 in clear, with prior knowledge")
    add("-m", "--max-time", metavar="SECONDS", help="give up after so many seconds in all")
    add("--connect-timeout", metavar="SECONDS", default="30", help="for each connection (30)")
    add("-Z", "--parallel", action="store_true", help="fetch at once, over one connection where it is HTTP/2")
    add("--parallel-max", metavar="COUNT", default="50", help="how many at once (50)")
    add("--unix-socket", metavar="PATH", help="connect to this socket instead of the host")
    add("--record", metavar="FILE", help="write a transcript; 'python -m mint replay FILE' replays it")
    add("--record-secrets", action="store_true", help="leave credentials and cookies in the transcript")
    add_options(made)
    add("--version", action="version", version=f"mint {__version__}")
    return made


def _add_request(made: Parser) -> None:
    add = made.add_argument
    add("-X", "--request", metavar="METHOD", help="the method; GET, POST with -d or --json, PUT with -T")
    add("-H", "--header", action="append", default=[], metavar="LINE", help="a header: 'name: value'")
    add("-d", "--data", action="append", default=[], metavar="DATA", help="content; @file reads it, @- stdin")
    add("--json", action="append", default=[], metavar="DATA", help="content that is JSON; @ as with -d")
    add(
        *("-T", "--upload-file"),
        action="append",
        default=[],
        metavar="FILE",
        help="send a file, one per URL, as it is read; - is stdin",
    )
    add("-I", "--head", action="store_true", help="ask for the head only (HEAD)")
    add(
        "-u",
        "--user",
        metavar="NAME:PASSWORD",
        help="credentials (Basic); without a password it is asked for",
    )
    add("-L", "--location", action="store_true", help="follow redirects")
    add("--max-redirs", metavar="COUNT", default="50", help="how many (50)")
    add(
        "--proto-redir",
        metavar="SCHEMES",
        help="which schemes redirects may lead to: http,https (https stays https unless given)",
    )
    add("--compressed", action="store_true", help="ask for compressed content, and decode it")


def _add_response(made: Parser) -> None:
    add = made.add_argument
    add(
        "-f", "--fail", action="store_true", help="fail where the status is 400 or above, without its content"
    )
    add("-i", "--include", action="store_true", help="print status, headers and trailers too")
    add("-o", "--output", action="append", default=[], metavar="FILE", help="write to a file, one per URL")
    add(
        *("-O", "--remote-name"),
        action="append_const",
        dest="output",
        const=REMOTE_NAME,
        help="write to a file with the last part of the URL's path as its name",
    )
    add("--max-filesize", metavar="BYTES", help="give up where the content, or what it decodes to, is larger")
    add("-w", "--write-out", metavar="FORMAT", help="print this after each transfer, with %%{variables}")
    add("-v", "--verbose", action="store_true", help="say on stderr what goes out and comes in")
    add("-s", "--silent", action="store_true", help="no line about progress, and no messages about errors")
    add("-S", "--show-error", action="store_true", help="messages about errors even with -s")
