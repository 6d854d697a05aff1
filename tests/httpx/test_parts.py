"""The conversions between httpx and mint, entry by entry, without a connection."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mint import errors
from mint._httpx.parts import (
    Caller,
    error_name,
    fields_of,
    is_upgrade,
    raw_fields,
    scheme_of,
    timeouts_of,
    url_of,
)
from mint._httpx.tracing import Tracing
from mint.exchange import URL
from mint.pool import Timeouts

REQUEST = object()


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        *(("http", "http"), ("https", "https"), ("ws", "http"), ("wss", "https")),
        *(("", None), ("HTTP", None), ("ftp", None), ("w", None)),
    ],
)
def test_schemes(text: str, scheme: str | None) -> None:
    assert scheme_of(text) == scheme


def test_urls() -> None:
    assert url_of("http", "h", None, b"/") == URL("http", "h", 80, "/")
    assert url_of("https", "h", None, b"/a?b") == URL("https", "h", 443, "/a?b")
    assert url_of("http", "h", 0, b"/") == URL("http", "h", 0, "/")
    assert url_of("https", "h", 80, b"*") == URL("https", "h", 80, "*")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), False),
        ((b"Upgrade",), True),
        ((b"a", b"UPGRADE"), True),
        ((b"upgrade", b"a"), True),
        ((b"upgrad",), False),
        ((b"upgrades",), False),
        ((b"updates",), False),
    ],
)
def test_which_requests_ask_for_an_upgrade(names: tuple[bytes, ...], found: bool) -> None:
    assert is_upgrade((name, b"x") for name in names) is found


@pytest.mark.parametrize("method", ["GET", "CONNECT", "connect"])
@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Host", "Upgrade"),
        *("Content-Length", "TE", "Trailer", "Accept", "Proxy-Authorization", "X\xe9"),
    ],
)
def test_which_fields_are_sent(name: str, upgrade: bool, method: str) -> None:
    dropped = {"keep-alive", "proxy-connection", "transfer-encoding"}
    if not upgrade:
        dropped.add("connection")
    if method == "CONNECT":
        dropped.add("host")
    raw = [(b"a", b"1"), (name.encode("latin-1"), b"\xe9"), (b"A", b"2")]
    kept = [] if name.lower() in dropped else [(name.lower(), "\xe9")]
    assert fields_of(method, raw, upgrade=upgrade) == [("a", "1"), *kept, ("a", "2")]


def test_fields_of_a_response() -> None:
    assert raw_fields([("a", "\xe9"), ("a", "")]) == [(b"a", b"\xe9"), (b"a", b"")]


@pytest.mark.parametrize("name", ["pool", "connect", "read", "write"])
def test_conversion_of_timeouts(name: str) -> None:
    assert timeouts_of(None) == Timeouts()
    assert timeouts_of({name: None}) == Timeouts()
    assert timeouts_of({name: 0.5, "other": 3}) == Timeouts(**{name: 0.5})


@pytest.mark.parametrize(
    ("phase", "name"),
    [
        ("waiting for a connection of the pool", "PoolTimeout"),
        ("waiting for a connection of the pool: a PING on it was not answered yet", "PoolTimeout"),
        ("sending", "WriteTimeout"),
        ("receiving", "ReadTimeout"),
        ("waiting for the response", "ReadTimeout"),
        ("waiting for the answer to a PING", "ReadTimeout"),
        ("connecting", "ConnectTimeout"),
        ("shaking hands", "ConnectTimeout"),
        ("resolving the name, not sending", "ConnectTimeout"),
    ],
)
def test_the_phase_of_a_timeout_determines_its_class(phase: str, name: str) -> None:
    assert error_name(errors.TransportTimeout(phase)) == name


CONNECTING = {
    *("ConnectionRefused", "NameNotResolved", "Unreachable", "TLSFailed"),
    *("ProtocolNotNegotiated", "BadALPNProtocol", "InadequateSecurity"),
}


def kinds() -> list[type[errors.MintError]]:
    """Return every public error except timeouts, whose httpx class depends on the phase."""
    found: list[type[errors.MintError]] = []
    left: list[type[errors.MintError]] = [errors.MintError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__name__ in errors.__all__ and not issubclass(kind, errors.TransportTimeout):
            found.append(kind)
    return sorted(set(found), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_the_class_of_every_error(kind: type[errors.MintError], local: bool) -> None:
    error = kind.__new__(kind)
    error.local = local
    bases = {base.__name__ for base in kind.__mro__}
    if "TunnelTimeout" in bases:
        wanted = "ConnectTimeout"
    elif "ProxyError" in bases:
        wanted = "ProxyError"
    elif bases & CONNECTING:
        wanted = "ConnectError"
    elif "TransportReset" in bases:
        wanted = "ReadError"
    else:
        wanted = "LocalProtocolError" if local and "TransportError" not in bases else "RemoteProtocolError"
    assert error_name(error) == wanted


def test_the_class_of_errors_that_are_not_from_mint() -> None:
    assert error_name(ValueError()) == "LocalProtocolError"
    assert error_name(TypeError()) == "LocalProtocolError"
    assert error_name(KeyError()) is None
    assert error_name(KeyboardInterrupt()) is None


def test_exceptions_of_the_callers_body_are_recognized() -> None:
    caller, mine, other = Caller(), ValueError(), ValueError()

    def body() -> object:
        yield b"a"
        raise mine

    with pytest.raises(ValueError, match=r"^$"):
        list(caller.pieces(body()))  # type: ignore[arg-type]  # a generator
    assert caller.raised(mine)
    assert not caller.raised(other)


# -- events


def tracing(scheme: str = "http") -> Tracing:
    return Tracing(REQUEST, URL("https" if scheme == "https" else "http", "h", 1, "/"), 2.5)


def begun(protocol: str, number: int | None = None) -> Tracing:
    made = tracing()
    list(made.events("request.started", {"connection": SimpleNamespace(protocol=protocol)}))
    if number is not None:
        list(made.events("request.complete", {"ref": SimpleNamespace(number=number)}))
    return made


@pytest.mark.parametrize(("protocol", "prefix"), [("http1", "http11"), ("http2", "http2")])
@pytest.mark.parametrize(
    ("phase", "name"),
    [
        ("request", "send_request_headers"),
        ("request_body", "send_request_body"),
        ("response", "receive_response_headers"),
    ],
)
def test_the_events_of_a_phase(protocol: str, prefix: str, phase: str, name: str) -> None:
    stream = SimpleNamespace(headers=(("a", "b"),), reason="Fine")
    shared = protocol == "http2"
    number = {"stream_id": 5} if shared else {}
    made = begun(protocol, 5)
    info = {"status": 200, "stream": stream, "ref": SimpleNamespace(number=5)}
    if phase != "request":
        assert list(made.events(f"{phase}.started", {})) == [
            (f"{prefix}.{name}.started", {"request": REQUEST, **number})
        ]
    fields = [(b"a", b"b")]
    head = (200, fields) if shared else (b"HTTP/1.1", 200, b"Fine", fields)
    assert list(made.events(f"{phase}.complete", info)) == [
        (f"{prefix}.{name}.complete", {"return_value": head if phase == "response" else None})
    ]
    error = errors.TransportClosed()
    assert list(made.events(f"{phase}.failed", {"exception": error})) == [
        (f"{prefix}.{name}.failed", {"exception": error})
    ]


@pytest.mark.parametrize(("protocol", "prefix"), [("http1", "http11"), ("http2", "http2")])
def test_the_events_after_the_head(protocol: str, prefix: str) -> None:
    made = begun(protocol, 5)
    number = {"stream_id": 5} if protocol == "http2" else {}
    error = errors.TransportClosed()
    content = f"{prefix}.receive_response_body"
    assert made.content("started") == (f"{content}.started", {"request": REQUEST, **number})
    assert made.content("complete") == (f"{content}.complete", {"return_value": None})
    assert made.content("failed", error) == (f"{content}.failed", {"exception": error})
    assert made.closed("started") == (f"{prefix}.response_closed.started", number)
    assert made.closed("complete") == (f"{prefix}.response_closed.complete", {"return_value": None})


def test_a_request_that_is_sent_again_has_no_stream_id_yet() -> None:
    made = begun("http2", 5)
    again = {"connection": SimpleNamespace(protocol="http2")}
    assert list(made.events("request.started", again)) == [
        ("http2.send_request_headers.started", {"request": REQUEST})
    ]
    assert list(made.events("request.started", {"connection": SimpleNamespace(protocol="http1")})) == [
        ("http11.send_request_headers.started", {"request": REQUEST})
    ]


TCP = "connection.connect_tcp"
TLS = "connection.start_tls"
FIRST = "http2.send_connection_init"


def names(made: Tracing, event: str, **info: object) -> list[str]:
    return [name for name, _ in made.events(event, info)]


def test_the_events_of_connecting() -> None:
    assert list(tracing().events("connect.started", {})) == [
        (
            f"{TCP}.started",
            {"host": "h", "port": 1, "local_address": None, "timeout": 2.5, "socket_options": None},
        )
    ]
    for protocol in ("http1", "http2"):
        first = [f"{FIRST}.started", f"{FIRST}.complete"] if protocol == "http2" else []
        conn = SimpleNamespace(protocol=protocol)
        assert names(tracing(), "connect.complete", connection=conn) == [f"{TCP}.complete", *first]
        events = list(tracing("https").events("connect.complete", {"connection": conn}))
        assert [name for name, _ in events] == [
            *(f"{TCP}.complete", f"{TLS}.started", f"{TLS}.complete"),
            *first,
        ]
        found = dict(events)
        assert found[f"{TCP}.complete"] == found[f"{TLS}.complete"] == {"return_value": conn}
        assert found[f"{TLS}.started"] == {"ssl_context": None, "server_hostname": "h", "timeout": 2.5}
        if first:
            assert found[f"{FIRST}.started"] == {"request": REQUEST}
            assert found[f"{FIRST}.complete"] == {"return_value": None}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (errors.ConnectionRefused, False),
        (errors.TransportTimeout, False),
        (errors.TLSFailed, True),
        (errors.ProtocolNotNegotiated, True),
        (errors.BadALPNProtocol, True),
    ],
)
def test_the_events_of_a_failed_connect(kind: type[Exception], after: bool, scheme: str) -> None:
    error = kind.__new__(kind)
    events = list(tracing(scheme).events("connect.failed", {"exception": error}))
    found = [name for name, _ in events]
    if not after:
        assert found == [f"{TCP}.failed"]
    elif scheme == "https":
        assert found == [f"{TCP}.complete", f"{TLS}.started", f"{TLS}.failed"]
    else:
        assert found == [f"{TCP}.complete"]
    if found[-1].endswith("failed"):
        assert events[-1][1] == {"exception": error}
