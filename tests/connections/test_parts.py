"""The functions that connections consist of, each by itself: protocols, arguments, failures, bodies."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

import mint
from mint import Processed, RequestFailed, errors
from mint._connections.arguments import check_inbox, check_initiate, check_mailbox, direction_of
from mint._connections.body import as_piece, as_pieces
from mint._connections.failures import as_fault, common, connecting, no_successor
from mint._connections.negotiation import choose, offered
from mint._process import IDENTITIES
from mint.transport import Memory

if TYPE_CHECKING:
    from mint.types import Scheme

# -- which protocol


@pytest.mark.parametrize(
    ("protocols", "offer"),
    [
        (("http1", "http2"), ("h2", "http/1.1")),
        (("http2", "http1"), ("h2", "http/1.1")),
        (["http1"], ("http/1.1",)),
        ({"http2"}, ("h2",)),
        (frozenset({"http1", "http2"}), ("h2", "http/1.1")),
    ],
)
def test_protocols_that_are_offered(protocols: object, offer: tuple[str, ...]) -> None:
    assert offered(protocols) == offer  # type: ignore[arg-type]  # of several types


@pytest.mark.parametrize(
    "protocols",
    [
        (),
        [],
        "http1",
        None,
        ("http3",),
        ("http1", "http1"),
        ("http1", "http3"),
        ("http1", 2),
        {"http1": 1},
        (b"http1",),
    ],
)
def test_protocols_that_cannot_be_offered(protocols: object) -> None:
    with pytest.raises(ValueError, match="protocols must be"):
        offered(protocols)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.rfc("9113-3.3-b")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("offer", [("h2", "http/1.1"), ("h2",), ("http/1.1",)])
@pytest.mark.parametrize("alpn", [None, "h2", "http/1.1", "other", ""])
def test_which_protocol_is_used(scheme: Scheme, offer: tuple[str, ...], alpn: str | None) -> None:
    if alpn is not None and alpn not in offer:
        with pytest.raises(errors.BadALPNProtocol):
            choose(scheme, offer, alpn)
    elif alpn is None and offer == ("h2",) and scheme == "https":
        with pytest.raises(errors.ProtocolNotNegotiated):
            choose(scheme, offer, alpn)
    else:
        is_http2 = alpn == "h2" or (alpn is None and offer == ("h2",) and scheme == "http")
        if alpn == "http/1.1" or not is_http2:
            assert choose(scheme, offer, alpn) == "http1"
        else:
            assert choose(scheme, offer, alpn) == "http2"


# -- arguments


GOOD: dict[str, object] = {
    "transport": Memory(),
    "scheme": "http",
    "hostname": "a.example",
    "port": 80,
    "identity": None,
    "mailbox": None,
    "proxy_headers": (),
}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scheme", ["http", "https"]),
        ("port", [0, 1, 65_535]),
        ("identity", [None, 0, 1, IDENTITIES - 1]),
        ("proxy_headers", [(), (("a", "b"),), [("a", "b")]]),
    ],
)
def test_arguments_up_to_their_limits(name: str, values: list[object]) -> None:
    assert IDENTITIES == 2**64
    for value in values:
        check_initiate(**{**GOOD, name: value})  # type: ignore[arg-type]  # of several types


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("scheme", ["ftp", "HTTP", "", None, b"http"]),
        ("hostname", ["", "a\0b", None, b"a"]),
        ("port", [-1, 65_536, True, "80", 80.0, None]),
        ("identity", [-1, IDENTITIES, True, "1"]),
    ],
)
def test_arguments_beyond_their_limits(name: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=name):
            check_initiate(**{**GOOD, name: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("transport", [None, object(), Memory]),
        ("mailbox", [object(), mint.Mailbox]),
    ],
)
def test_arguments_of_other_types(name: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(TypeError, match=name):
            check_initiate(**{**GOOD, name: value})  # type: ignore[arg-type]  # wrong on purpose


class Verbs:
    """An object with some of the methods of a mailbox."""

    def __init__(self, *names: str) -> None:
        for name in names:
            setattr(self, name, lambda *_: None)


def test_a_mailbox_has_every_method() -> None:
    names = ("admit", "watch", "unwatch")
    for chosen in product([False, True], repeat=3):
        box = Verbs(*(name for name, is_there in zip(names, chosen, strict=True) if is_there))
        if all(chosen):
            check_inbox(box)  # type: ignore[arg-type]  # a fake
        else:
            with pytest.raises(TypeError, match=r"mailbox must be a mint\.Mailbox, not Verbs"):
                check_inbox(box)  # type: ignore[arg-type]  # a fake
    check_inbox(None)
    check_mailbox(None, "asyncio")
    with mint.Mailbox() as mine:
        check_mailbox(mine)
        check_mailbox(mine, "blocking")
        with pytest.raises(
            TypeError, match="mailbox must be for trio, like the connection, not for blocking"
        ):
            check_mailbox(mine, "trio")
    with pytest.raises(errors.MailboxClosed):
        check_mailbox(mine)


def test_directions() -> None:
    assert [direction_of(each) for each in ("read", "write")] == ["read", "write"]
    for wrong in ("", "READ", None, 1):
        with pytest.raises(ValueError, match="direction"):
            direction_of(wrong)


# -- failures


@pytest.mark.parametrize(
    ("error", "reason", "value"),
    [
        (errors.TransportClosed(), "transport_closed", "the server closed the connection"),
        (errors.TransportReset(), "transport_reset", "the connection was reset"),
        (errors.TransportTimeout("sending"), "transport_timeout", "sending"),
        (errors.TLSFailed("odd"), "tls_failed", "odd"),
        (errors.Unreachable("No route"), "unreachable", "No route"),
        (errors.ConnectionRefused("a"), "unreachable", "the connection to a was refused"),
    ],
)
@pytest.mark.parametrize("processed", Processed)
def test_the_fault_that_an_engine_gets_for_a_broken_link(
    error: errors.TransportError, reason: str, value: str, processed: Processed
) -> None:
    fault = as_fault(error.marked(processed=processed))
    assert (fault.reason, fault.value) == (reason, value)
    assert fault.processed == [Processed.NO, Processed.MAYBE, Processed.YES].index(processed)


@pytest.mark.parametrize(
    "said", [[], *([one] for one in Processed), *map(list, product(Processed, repeat=2))]
)
def test_the_progress_of_all_requests_together(said: list[Processed]) -> None:
    ref = mint.RequestRef(1, 1)
    failed: list[mint.Response] = [
        RequestFailed(ref, errors.TransportClosed().marked(processed=each)) for each in said
    ]
    expected = Processed.NO if not said else said[0] if len(set(said)) == 1 else Processed.MAYBE
    assert common([mint.Done(ref), *failed]) is expected


def test_errors_of_connecting_say_that_nothing_was_processed() -> None:
    for error in (errors.TransportClosed(), errors.ProxyFailed(errors.TransportReset())):
        with pytest.raises(errors.MintError) as caught, connecting():
            raise error.marked(processed=Processed.YES)
        assert caught.value.processed is Processed.NO
        inner = getattr(caught.value, "error", None)
        assert inner is None or inner.processed is Processed.NO
    with pytest.raises(KeyError), connecting():
        raise KeyError


def test_errors_without_a_successor_say_why() -> None:
    assert "has no successor" in str(no_successor(None))
    assert "another connection" in str(no_successor(object()))


# -- bodies


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (b"", (b"",)),
        (b"ab", (b"ab",)),
        (bytearray(b"ab"), (b"ab",)),
        (memoryview(b"ab"), (b"ab",)),
        ([], ()),
        ([b"a", bytearray(b"b"), memoryview(b"")], (b"a", b"b", b"")),
        ((b"a",), (b"a",)),
    ],
)
def test_the_pieces_of_a_body(body: object, pieces: tuple[bytes, ...]) -> None:
    made = as_pieces(body)  # type: ignore[arg-type]  # of several types
    assert made == pieces
    assert all(type(each) is bytes for each in made)


@pytest.mark.parametrize(
    ("body", "kind"),
    [("ab", "str"), (["a"], "str"), ([1], "int"), (1, "int"), ({b"a": 1}, "dict"), ([None], "NoneType")],
)
def test_values_that_are_no_body(body: object, kind: str) -> None:
    with pytest.raises(TypeError, match=f"body must be bytes or a sequence of bytes, not {kind}"):
        as_pieces(body)  # type: ignore[arg-type]  # wrong on purpose


def test_one_piece_of_a_body() -> None:
    end = mint.Eof((("a", "b"),))
    assert as_piece(end) is end
    assert as_piece(given := b"ab") is given
    assert as_piece(memoryview(b"ab")) == b"ab"
    for wrong in ("ab", 1, None, [b"a"]):
        with pytest.raises(TypeError, match=f"not {type(wrong).__name__}"):
            as_piece(wrong)  # type: ignore[arg-type]  # wrong on purpose
