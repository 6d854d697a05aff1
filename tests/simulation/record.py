"""The observations of the program and the servers of one run, and the checks that they agree."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import mint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .kernel import Kernel
    from .streams import Stream

DONE, FAILED = "done", "failed"


class Expected(NamedTuple):
    """What the program may receive of one response."""

    status: int
    content: bytes
    """The whole content; if the response fails, the program received a prefix of it."""
    ends: frozenset[str]
    """How it may end: `done`, `failed`."""
    whole: bool = True
    """Whether the whole content must have arrived if the response is complete."""


class Exchange:
    """One request of the program, and what it received."""

    def __init__(self, number: int, body: bytes = b"") -> None:
        self.number = number
        self.body = body
        """The whole content of the request."""
        self.sent = 0
        """How much of it mint has accepted."""
        self.ended = False
        """Whether mint has accepted its end."""
        self.settled = False
        """Whether the program then waited until the server could have read everything."""
        self.status = 0
        self.content = bytearray()
        self.end: str | None = None
        self.error: Exception | None = None
        self.abandoned = False
        """Whether the program cancelled it or closed the connection."""
        self.headed = False
        """Whether the header fields of the response were seen."""

    def take(self, response: mint.Response) -> str | None:  # noqa: PLR0911  # one for each response
        """Take one response; return what is wrong with it."""
        name = type(response).__name__
        if self.end is not None:
            return f"{name} after the end of a request"
        match response:
            case mint.Informational():
                return "Informational after Status" if self.status else None
            case mint.Status(status=status):
                wrong, self.status = bool(self.status), status
                return "two Status" if wrong else None
            case mint.Headers(headers=headers):
                wrong, self.headed = self.headed or not self.status, True
                if ("x-number", str(self.number)) not in headers:
                    return "the response to another request"
                return "Headers out of order" if wrong else None
            case mint.Data(data=data):
                self.content += data
                return None if self.headed and data else "Data out of order"
            case mint.Done():
                self.end = DONE
            case mint.RequestFailed(error=error):
                self.end, self.error = FAILED, error
            case _:
                return f"{name} was not expected"
        return None


class Record:
    """The requests, the responses, and what is expected."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.expected: dict[int, Expected] = {}
        self.uploads: dict[int, bytearray] = {}
        self.readers: set[int] = set()
        """Requests whose content the server reads to its end, whatever else it does."""
        self.exchanges: dict[int, Exchange] = {}
        """The requests by their numbers."""
        # On real sockets, several threads start requests at the same time.
        self._numbers = itertools.count()
        self.carriers: dict[int, Stream] = {}
        """The server's end of the connection that carried a request, if there is no layer on top of it."""
        self.arrivals: Counter[int] = Counter()
        """How often a server started to process a request."""
        self.repeatable: set[int] = set()
        """Requests that may be sent again although a server may have processed them."""
        self.severed = False
        """Whether a server broke a connection that carries several requests."""
        self.route = ""
        self.interrupted = False
        """Whether an exception of a signal handler may have ended a connection."""

    def exchange(self, body: bytes = b"") -> Exchange:
        """Start the next request."""
        made = Exchange(next(self._numbers), body)
        self.exchanges[made.number] = made
        return made

    def uploaded(self, number: int, octets: bytes) -> None:
        """Check content of a request that a server received."""
        self.uploads.setdefault(number, bytearray()).extend(octets)

    def expect(self, number: int, status: int, content: bytes, *ends: str, whole: bool = True) -> None:
        """Announce what a server is about to send."""
        self.expected[number] = Expected(status, content, frozenset(ends or (DONE,)), whole)

    def check(self) -> Iterable[str]:
        """Return the violations at the end of a run."""
        for each in self.exchanges.values():
            yield from self._check(each)
            if self.arrivals[each.number] > 1 and each.number not in self.repeatable:
                yield "a request was sent twice"

    def _check(self, exchange: Exchange) -> Iterable[str]:  # noqa: C901  # a list of rules
        came = bytes(self.uploads.get(exchange.number, b""))
        if came != exchange.body[: len(came)]:
            yield "the server got other octets than were sent"
        elif len(came) > exchange.sent:
            yield "the server got octets that were never sent"
        elif exchange.settled and exchange.number in self.readers and came != exchange.body:
            yield "what was sent before the end has not arrived"
        expected = self.expected.get(exchange.number)
        content = bytes(exchange.content)
        if exchange.end is None:
            if not exchange.abandoned:
                yield "a request has no end"
            if expected is not None and not expected.content.startswith(content):
                yield "content that the server did not send"
            return
        if expected is None:
            if exchange.end == DONE or content:
                yield "a response that no server sent"
            return
        excused = exchange.abandoned or (self.interrupted and exchange.end == FAILED)
        if exchange.end not in expected.ends and not excused:
            ends = " or ".join(sorted(expected.ends))
            yield f"a request {exchange.end} that must be {ends} ({exchange.error!r})"
        carrier = self.carriers.get(exchange.number)
        client = carrier.peer if carrier is not None else None
        complete = client is not None and client.whole and not excused
        if exchange.end == FAILED and DONE in expected.ends and complete:
            yield "a response failed though all of it arrived"
        if exchange.end == DONE and expected.whole and content != expected.content:
            yield "not the whole response that the server sent"
        elif not expected.content.startswith(content) or exchange.status not in {0, expected.status}:
            yield "content that the server did not send"
