"""The transfer of one URL: its request, the redirects that follow, and the output of the content."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from time import monotonic
from typing import TYPE_CHECKING

from .. import errors
from ..content import Decoder, accept_encoding
from ..exchange import URL
from ..options import HTTP1Options, HTTP2Options
from ..pool import Timeouts
from ..pool._rehearsal import refuse
from .arguments import shown_name
from .bodies import Upload
from .codes import exit_code, text_of
from .locations import resolve
from .outputs import Output, writes_file
from .redirects import follow, target_of
from .show import fields, head
from .summary import Facts, written
from .usage import CommandError, StatusRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..pool import Pool, StreamedAnswer
    from .arguments import CommandLine, Order
    from .connecting import Dialer
    from .outputs import OutputPlace
    from .progress import Item, Progress
    from .redirects import PlannedRequest

_HTTP1 = HTTP1Options()
_HTTP2 = HTTP2Options()
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_REFUSED = 400
_DRAINED = 65_536
"""The most content of a redirect that is read, in octets, so that its connection can be used again."""


class Transfer:
    """Fetches one URL and prints the response."""

    _began: float

    def __init__(
        self, settings: CommandLine, order: Order, number: int, place: OutputPlace, progress: Progress
    ) -> None:
        """Prepare the transfer; `run` starts it."""
        self._settings = settings
        self._order = order
        self._place = place
        self._output = Output(place, order.output)
        self._progress = progress
        self._item: Item | None = None
        self._facts = Facts(order.request.location.url, number, path=self._output.path or "")
        self._files = ExitStack()

    def run(self, pool: Pool, dialer: Dialer, until: float | None) -> None:
        """Fetch the URL. Errors are raised after everything that was received before them was printed."""
        self._began = monotonic()
        failure: BaseException | None = None
        if self._is_watched():
            self._item = self._progress.start(shown_name(self._order))
        connects = dialer.connects
        try:
            self._fetch(pool, dialer, until)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._files.close()
            if self._item is not None:
                self._item.end()
            self._facts.connects = dialer.connects - connects
            self._facts.time_connect = max(0.0, dialer.last - self._began)
            self._facts.time_total = monotonic() - self._began
            try:
                self._output.close()
                self._summarize(failure)
            finally:
                self._place.end()

    def _is_watched(self) -> bool:
        return self._output.path is not None or writes_file()

    def _summarize(self, failure: BaseException | None) -> None:
        if self._settings.summary is None or isinstance(failure, BrokenPipeError):
            return
        if failure is not None:
            self._facts.exit_code, self._facts.error = exit_code(failure), text_of(failure)
        self._progress.clear()
        for stream, text in written(self._settings.summary, self._facts):
            if stream == "stdout":
                self._output.say(text)
            elif sys.stderr is not None:
                sys.stderr.write(text)

    # -- requests

    def _fetch(self, pool: Pool, dialer: Dialer, until: float | None) -> None:
        request: PlannedRequest | None = self._order.request
        while request is not None:
            origin = request.location.origin
            with self._ask(pool, dialer, request, until) as answer:
                request = self._take(answer, request)
            dialer.served(origin)

    def _ask(
        self, pool: Pool, dialer: Dialer, request: PlannedRequest, until: float | None
    ) -> StreamedAnswer:
        """Send a request and wait for the head; send it once more if that is safe (RFC 9110 9.2.2)."""
        facts, again = self._facts, False
        facts.url_effective, facts.method, facts.scheme = (
            request.location.url,
            request.method,
            request.location.scheme,
        )
        facts.redirects = request.redirects
        while True:
            try:
                return self._send(pool, request, self._limits(until))
            except errors.MintError as error:
                # The server may close a kept connection while it is used again, but not a new one.
                if again or error.local or not dialer.has_served(request.location.origin):
                    raise
                maybe = error.processed is errors.Processed.MAYBE and request.method in _IDEMPOTENT
                if error.processed is not errors.Processed.NO and not maybe:
                    raise
                again = True

    def _limits(self, until: float | None) -> Timeouts:
        left = None if until is None else until - monotonic()
        if left is not None and left <= 0:
            raise errors.TransportTimeout("fetching")
        return Timeouts(total=left)

    def _send(self, pool: Pool, request: PlannedRequest, limits: Timeouts) -> StreamedAnswer:
        place = request.location
        url = URL(place.scheme, place.host, place.port, place.target)
        headers = list(request.headers)
        names = {name.lower() for name, _ in headers}
        if self._settings.compressed and "accept-encoding" not in names:
            headers.append(accept_encoding())
        if not isinstance(request.body, Upload):
            self._facts.size_upload = len(request.body or b"")
            self._refuse(request.method, url, headers, request.body, streamed=False)
            return pool.stream(request.method, url, headers, request.body, timeout=limits)
        size, pieces = request.body.open(self._files)
        if size is not None and not names & {"content-length", "transfer-encoding"}:
            headers.append(("content-length", str(size)))
        if self._item is not None:
            self._item.expect(size)
        self._facts.size_upload = 0
        self._refuse(request.method, url, headers, None, streamed=True)
        return pool.stream(request.method, url, headers, self._counted(pieces), timeout=limits)

    def _refuse(
        self, method: str, url: URL, headers: list[tuple[str, str]], content: bytes | None, *, streamed: bool
    ) -> None:
        """Refuse a request that cannot be sent, before a connection is opened for it."""
        refuse(
            *(method, url, headers, content),
            streamed=streamed,
            trailers=(),
            protocols=self._settings.protocols,
            http1_options=_HTTP1,
            http2_options=_HTTP2,
        )

    def _counted(self, pieces: Generator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece
            self._facts.size_upload += len(piece)
            if self._item is not None:
                self._item.advance(len(piece))

    # -- answers

    def _take(self, answer: StreamedAnswer, request: PlannedRequest) -> PlannedRequest | None:
        """Print an answer; return the next request if a redirect is to be followed."""
        settings, facts, conn = self._settings, self._facts, answer.connection
        facts.time_starttransfer = monotonic() - self._began
        facts.status, facts.headers = answer.status, answer.headers
        facts.http_version = "2" if conn.protocol == "http2" else "1.1"
        facts.remote, facts.local = _pair(conn.peer_address), _pair(conn.local_address)
        facts.size_download = 0
        fails = settings.fail and answer.status >= _REFUSED
        if settings.include:
            for interim in answer.interim:
                self._print(head(conn.protocol, interim.status, interim.headers))
            self._print(head(conn.protocol, answer.status, answer.headers))
        locations = answer.headers_all("location")
        # Several different ones are an error only if one of them would have to be followed.
        reference = target_of(answer.status, locations if settings.follows else locations[:1])
        if reference is not None and settings.follows:
            onward = follow(
                request, answer.status, reference, settings.redirect_schemes, settings.max_redirects
            )
            self._drain(answer)
            facts.time_redirect = monotonic() - self._began
            return onward
        facts.redirect_url = "" if reference is None else _absolute(request, reference)
        if fails:
            self._drain(answer)
            raise StatusRefused(f"{request.location.url}: the server answered with status {answer.status}")
        self._content(answer)
        if settings.include and answer.trailers:
            self._print(fields(answer.trailers))
        return None

    def _print(self, data: bytes) -> None:
        self._output.write(data, safe=True)

    def _drain(self, answer: StreamedAnswer) -> None:
        """Read and discard content that is not needed, if it is short."""
        length = answer.header("content-length", "0")
        if not length.isdigit() or len(length) > len(str(_DRAINED)) or int(length) > _DRAINED:
            return
        left = _DRAINED
        while left > 0 and (data := answer.receive()) is not None:
            left -= len(data)

    def _content(self, answer: StreamedAnswer) -> None:
        settings, item = self._settings, self._item
        codings = answer.headers_all("content-encoding") if settings.compressed else ()
        decoder: Decoder | None = None
        if item is not None:
            length = answer.header("content-length", "")
            item.expect(int(length) if length.isascii() and length.isdigit() else None)
        self._output.write(b"", safe=True)  # creates the file even if there is no content
        for data in answer:
            self._facts.size_download += len(data)
            if settings.max_size is not None and self._facts.size_download > settings.max_size:
                raise errors.ContentTooLarge(settings.max_size)
            # A response without content may name any coding, for example one to HEAD.
            decoder = decoder or Decoder(codings, max_size=settings.max_size)
            for piece in decoder.feed(data):
                self._output.write(piece)
            if item is not None:
                item.advance(len(data))
        if decoder is not None:
            for piece in decoder.finish():
                self._output.write(piece)
        self._output.end_content()


def _absolute(request: PlannedRequest, reference: str) -> str:
    try:
        return resolve(request.location, reference, {"http", "https"}).url
    except CommandError:
        return reference


def _pair(address: tuple[str, int] | tuple[str, int, int, int] | str | None) -> tuple[str, int]:
    return address[:2] if isinstance(address, tuple) else (address or "", 0)
