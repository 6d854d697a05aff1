"""Fetching: one connection for each run of URLs of one origin, concurrent over HTTP/2.

Every failure becomes one line on stderr and an exit code; a traceback would be a defect.
"""

from __future__ import annotations

import contextlib
import sys
from itertools import groupby, zip_longest
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from .. import errors
from .._connections.negotiation import connect
from ..options import TCPOptions, TLSOptions
from ..responses import Done, RequestFailed
from ..types import STREAM, Eof
from .arguments import parse
from .show import Page, complain, give_up_output, say_more
from .usage import BadURLError, UsageError
from .way import say_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._connections.negotiation import Connection
    from ..responses import RequestRef, Response
    from .arguments import Location, Wanted

USAGE, BAD_URL = 2, 3
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_UNSENDABLE = (
    errors.InvalidRequestMethod,
    errors.InvalidHeaderName,
    errors.InvalidHeaderValue,
    errors.InvalidRequestFraming,
    errors.InvalidPseudoHeader,
    errors.ConnectionSpecificHeader,
    errors.ContentLengthMismatch,
)
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (BadURLError, BAD_URL),
    (UsageError, USAGE),
    (errors.InvalidRequestTarget, BAD_URL),
    *((kind, USAGE) for kind in _UNSENDABLE),
    (errors.CertificateRejected, 60),
    (errors.TLSFailed, 35),
    (errors.ProtocolNotNegotiated, 35),
    (errors.BadALPNProtocol, 35),
    (errors.InadequateSecurity, 35),
    (errors.NameNotResolved, 6),
    (errors.ConnectionRefused, 7),
    (errors.Unreachable, 7),
    (TimeoutError, 28),
    (errors.TransportError, 56),
    (errors.IncompleteResponse, 56),
    (errors.ProxyError, 97),
    (errors.HTTPError, 8),
    (errors.MintError, 8),
    (OSError, 23),
    (ValueError, BAD_URL),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code of a failure; curl's numbers where curl has one."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


class Order(NamedTuple):
    """One URL, and the file that its content goes to, if any."""

    location: Location
    output: str | None


class Fetcher:
    """Fetches what is wanted, one origin after another."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._until = None if wanted.max_time is None else monotonic() + wanted.max_time

    def run(self) -> None:
        """Fetch everything; raises what went wrong first."""
        wanted = self._wanted
        orders = [Order(*each) for each in zip_longest(wanted.locations, wanted.outputs)]
        for _, together in groupby(orders, key=lambda each: each.location.origin):
            waiting = list(together)
            while waiting:
                waiting = self._fetch(waiting)

    def _left(self) -> float | None:
        if self._until is None:
            return None
        left = self._until - monotonic()
        if left <= 0:
            raise errors.TransportTimeout("fetching")
        return left

    def _connect(self, location: Location) -> Connection:
        wanted = self._wanted
        left = self._left()
        timeout = 30.0 if left is None else left
        way = wanted.way
        proxy = way.proxy_for(location.scheme, location.host, location.port)
        given = way.addresses(location.host, location.port)
        conn = connect(
            location.scheme,
            wanted.address(location),
            location.port,
            hostname=location.host,
            protocols=wanted.protocols,
            proxy=proxy,
            resolver=None if given is None else lambda _host, _port: given,
            tcp=TCPOptions(connect_timeout=timeout, send_timeout=timeout),
            tls=TLSOptions(
                verify=not wanted.insecure,
                ca_file=wanted.ca_file,
                cert_file=wanted.cert,
                key_file=wanted.key,
            ),
            log=wanted.verbose,
        )
        if wanted.verbose:
            say_way(conn, proxy)
        return conn

    def _fetch(self, orders: list[Order]) -> list[Order]:
        """Fetch over one connection; return what is left when the server closed it."""
        with contextlib.ExitStack() as stack:
            conn = self._connect(orders[0].location)
            stack.callback(conn.close)
            exchange = Exchange(self._wanted, conn)
            stack.callback(exchange.close)
            while exchange.begin(orders):
                exchange.go_on(self._left())
        return [*exchange.again, *orders]


class Exchange:
    """The requests on one connection, and the pages their responses go to."""

    def __init__(self, wanted: Wanted, conn: Connection) -> None:
        self._wanted = wanted
        self._conn = conn
        self._pages: dict[RequestRef, Page] = {}
        self._uploads: dict[RequestRef, memoryview[int]] = {}
        self._orders: dict[RequestRef, Order] = {}
        self._served = False
        """Whether a response was complete: a server that never answers is not asked again."""
        self.again: list[Order] = []
        """What has to be asked for again, over another connection."""

    def begin(self, orders: list[Order]) -> bool:
        """Send what can be sent now, taking it off the list; false when there is nothing to wait for."""
        wanted = self._wanted
        # Over HTTP/1 one after another: pipelining is for those who know their server.
        most = 1 if self._conn.protocol == "http1" else len(orders) + len(self._pages)
        while orders and len(self._pages) < most and self._conn.is_open():
            streamed = bool(wanted.body) and self._conn.protocol != "http1"
            try:
                self._conn, ref = self._conn.request(
                    wanted.method,
                    orders[0].location.target,
                    wanted.headers,
                    STREAM if streamed else wanted.body,
                    flush=False,
                )
            except errors.TooManyConcurrentRequests:
                if not self._pages:
                    raise
                break
            except errors.MintError as error:
                if not self._goes_on_after(error):
                    raise
                break
            order = self._orders[ref] = orders.pop(0)
            self._pages[ref] = Page(
                self._conn.protocol, include=wanted.include, path=order.output, live=not self._pages
            )
            if streamed and wanted.body is not None:
                self._uploads[ref] = memoryview(wanted.body)
        return bool(self._pages)

    def _upload(self) -> None:
        """Send what the windows take of the bodies."""
        for ref, rest in list(self._uploads.items()):
            try:
                window = self._conn.request_body_window(ref)
                if window:
                    self._conn = self._conn.stream_request_body(ref, rest[:window])
                    self._uploads[ref] = rest[window:]
                if len(rest) <= window:
                    del self._uploads[ref]
                    self._conn = self._conn.stream_request_body(ref, Eof())
            except ValueError:
                # The server has ended this request already: its response says why.
                del self._uploads[ref]

    def go_on(self, timeout: float | None) -> None:
        """Send and receive once; raises what went wrong after showing what came before it."""
        try:
            self._upload()
            self._conn, responses = self._conn.recv(timeout=timeout)
        except errors.MintError as error:
            if not self._goes_on_after(error):
                raise
            return
        failures = self._show_all(responses)
        if failures:
            raise failures[0]

    def _goes_on_after(self, error: errors.MintError) -> bool:
        """Show what came before an error; whether everything that it cost may be asked for again."""
        failures = self._show_all(error.responses)
        if failures or self._pages or not self._served:
            return False
        if error.local and not isinstance(error, errors.Closed):
            return False  # it would be refused again
        self._conn = self._conn.after(error)
        return self._may_repeat(error.processed) and not self._conn.is_open()

    def _may_repeat(self, processed: errors.Processed) -> bool:
        """Whether a request may be sent again (RFC 9110 9.2.2)."""
        maybe = processed is errors.Processed.MAYBE and self._wanted.method in _IDEMPOTENT
        return processed is errors.Processed.NO or maybe

    def _show_all(self, responses: Sequence[Response]) -> list[errors.HTTPError | errors.TransportError]:
        """Print responses; return the failures of those that are not asked for again."""
        return [
            response.error
            for response in responses
            if self._show(response) and isinstance(response, RequestFailed)
        ]

    def _is_put_back(self, failed: RequestFailed, page: Page) -> bool:
        """Give up a page that nothing was seen of, where its request may be sent again."""
        last = not any(each.begun for each in self._pages.values())  # or the order of the output would suffer
        if not self._served or page.begun or not last or not self._may_repeat(failed.error.processed):
            return False
        self.again.append(self._orders[failed.ref])
        page.close()
        del self._pages[failed.ref]
        self._uploads.pop(failed.ref, None)
        return True

    def _show(self, response: Response) -> bool:
        """Print a response of ours; the end of one page is the turn of the next."""
        page = self._pages.get(response.ref)
        if page is None or (isinstance(response, RequestFailed) and self._is_put_back(response, page)):
            return False
        page.take(response)
        if isinstance(response, Done):
            self._served = True
        if isinstance(response, (Done, RequestFailed)):
            page.end()
            while self._pages:
                ref, first = next(iter(self._pages.items()))
                first.go_live()
                if not first.ended:
                    break
                first.close()
                del self._pages[ref]
        return True

    def close(self) -> None:
        """Close the files; what was not complete is shown as far as it came."""
        for page in self._pages.values():
            page.go_live()
            page.close()


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, errors.MintError):
        return f"{error.filename or 'cannot write'}: {error.strerror or error}"
    return str(error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    if sys.stdout is None:
        # Python has no stream where the shell closed the descriptor (>&-).
        complain("standard output is closed")
        return 23
    try:
        wanted = parse(arguments)
        if wanted.verbose:
            say_more()
        Fetcher(wanted).run()
    except BrokenPipeError:
        # Whoever reads our output has seen enough; Python must not complain at exit.
        give_up_output()
        return 23
    except KeyboardInterrupt:
        complain("interrupted")
        return 130
    except (UsageError, errors.MintError, OSError, ValueError) as error:
        complain(_text(error))
        return exit_code(error)
    return 0
