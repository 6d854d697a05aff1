"""Every field and parameter: invalid values are refused by name, before connecting or sending.

The tables are made by introspection, so that a new option is among them. A kind of field that is not in
`WRONG` fails the first test.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import math
import socket
import ssl
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, Self  # wrong arguments are passed, which the types forbid

import pytest
import trio

import mint
import mint.asyncio
import mint.proxy
import mint.trio
from mint.testing import http2 as h2
from mint.types import Eof, UnixAddress
from tests.tls import server_context

if TYPE_CHECKING:
    from collections.abc import Callable

NAN, INF = math.nan, math.inf
BOOLS: list[object] = [None, 0, 1, "yes"]
TIMES: list[object] = [True, "30", b"1", NAN, INF, -INF, -1, 10**400, [1]]
TEXTS: list[object] = [5, b"x", True, ["x"], "a\0b", object()]
NUMBERS: list[object] = [True, None, "10", b"1", 1.5, NAN, INF, [1], -1, 2**70]

WRONG: dict[str, list[object]] = {
    "bool": BOOLS,
    "bool | None": [0, 1, "yes"],
    "bool | Tolerance": [*BOOLS, mint.Tolerance],
    "int": NUMBERS,
    "int | None": [each for each in NUMBERS if each is not None],
    "float | None": TIMES,
    "str": [None, *TEXTS, ""],
    "str | None": TEXTS,
    "str | bytes | None": [5, True, ["x"], "a\0b", b"", "", object()],
    "frozenset[str]": [None, "x", {"x"}, ["x"], frozenset({5}), frozenset({"X"})],
    "Fingerprints": [None, "a" * 64, frozenset({5}), frozenset({"a" * 63}), frozenset({"g" * 64})],
    "tuple[EventOption, ...]": [None, "goaway", ("status_reason",), ["goaway"], 5, (5,), (["goaway"],)],
    "tuple[StatusReasonOption, ...]": [None, "status_reason", ("status",), 5, (5,)],
    "tuple[str, int] | None": [
        *("127.0.0.1", ("127.0.0.1",), ("127.0.0.1", True), ("127.0.0.1", -1), ("127.0.0.1", 65_536)),
        *((None, 0), (b"127.0.0.1", 0), ("127.0.0.1\0", 0), ("no.such.name", 0), ("127.0.0.1", "80"), 5),
    ],
    "Trust": [None, "x", 5, ["auto"], {}],
    "ssl.TLSVersion": [None, "TLSv1.2", 5, 771, True],
    "PEM | None": [5, True, ["x"], "a\0b", b"", "", object(), "x", b"x"],
    "HostnameCheck | None": ["x", 5, True, {}, object()],
    "TLSSessions | None": ["x", 5, {}, mint.TLSSessions],
    "ssl.SSLContext | None": ["x", 5, ssl.SSLContext],
    "ClientSettings": [None, {}, "x", mint.ClientSettings],
    "TLSOptions": [None, {}, "x", mint.TCPOptions()],
    "HTTP1Options": [None, {}, "x", mint.HTTP2Options()],
    "HTTP2Options": [None, {}, "x", mint.HTTP1Options()],
    "ProxyScheme": [None, 5, "ftp", b"http", ["http"]],
    "Address": [None, 5, b"a.test", True, ["a.test"], "a\0b", "", "a b", object()],
    "HeaderFields": [
        *(None, 5, "x", {"a": "b"}),
        (("a",),),
        (("a", 5),),
        ((b"a", "b"),),
        ("ab",),
        (("a", "b", "c"),),
    ],
    "tuple[ProtocolName, ...]": [None, "http1", ("http3",), ("http1", "http2"), (), 5, [["http1"]]],
}
NEEDED: dict[type, dict[str, object]] = {
    mint.Proxy: {"scheme": "http", "address": "proxy.test", "port": 3128},
    UnixAddress: {"path": "/run/x"},
}
KINDS = (
    mint.HTTP1Options,
    mint.HTTP2Options,
    mint.ClientSettings,
    mint.TCPOptions,
    mint.TLSOptions,
    mint.Proxy,
    UnixAddress,
    Eof,
)
FIELDS = [(kind, each.name, str(each.type)) for kind in KINDS for each in fields(kind) if each.init]


def is_named(error: Exception, name: str) -> bool:
    return name in str(error)


def test_every_kind_of_field_is_in_the_table() -> None:
    assert {annotation for _, _, annotation in FIELDS} <= set(WRONG)


@pytest.mark.parametrize(
    ("kind", "name", "annotation"), FIELDS, ids=lambda each: getattr(each, "__name__", each)
)
def test_options_refuse_by_name(kind: type, name: str, annotation: str) -> None:
    for value in WRONG[annotation]:
        # Host names have their own error message, which another test checks.
        with pytest.raises((TypeError, ValueError)) as caught:
            kind(**{**NEEDED.get(kind, {}), name: value})
        message = str(caught.value)
        assert not isinstance(caught.value, UnicodeError)
        assert name in message or "host name" in message, (value, message)


class Text(str):
    """A `str` whose methods claim another value."""

    __slots__ = ()

    def __len__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "other"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __contains__(self, other: object) -> bool:
        return False

    def lower(self) -> str:
        return "other"

    def isascii(self) -> bool:
        return True

    def encode(self, *_: object) -> bytes:
        return b"other"


class Number(int):
    def __le__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True

    def __index__(self) -> int:
        return 7

    def __int__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Seconds(float):
    def __le__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True

    def __float__(self) -> float:
        return 7.0


class Octets(bytes):
    """A `bytes` whose methods claim another length and value."""

    def __len__(self) -> int:
        return 1

    def __bytes__(self) -> bytes:
        return b"other"

    def __iter__(self) -> Any:
        return iter(b"other")

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __buffer__(self, flags: int, /) -> memoryview:
        return memoryview(b"other")


class Array(bytearray):
    def __len__(self) -> int:
        return 1

    def __bytes__(self) -> bytes:
        return b"other"

    def __iter__(self) -> Any:
        return iter(b"other")


def exact(value: object) -> bool:
    return type(value) in {int, float, str, bytes, bool, type(None), tuple, frozenset}


LIES: dict[str, tuple[object, object]] = {
    "int": (Number(300), 300),
    "int | None": (Number(20_000), 20_000),
    "float | None": (Seconds(2.5), 2.5),
    "str": (Text("/run/y"), "/run/y"),
    "str | None": (Text("b.test"), "b.test"),
    "str | bytes | None": (Octets(b"DER"), b"DER"),
    "PEM | None": (Octets(b"-----BEGIN x"), b"-----BEGIN x"),
    "frozenset[str]": (frozenset({Text("x-key")}), frozenset({"x-key"})),
    "Fingerprints": (frozenset({Text("A" * 64)}), frozenset({"a" * 64})),
    "HeaderFields": (((Text("x-a"), Text("b")),), (("x-a", "b"),)),
    "Address": (Text("b.test"), "b.test"),
    "ProxyScheme": (Text("https"), "https"),
}


WITH_CERT = {"cert_file": "c.pem"}
BESIDE = {"key_file": WITH_CERT, "key_data": WITH_CERT, "password": {"username": "me"}}


@pytest.mark.parametrize(
    ("kind", "name", "annotation"), FIELDS, ids=lambda each: getattr(each, "__name__", each)
)
def test_subclasses_are_stored_by_their_real_value(kind: type, name: str, annotation: str) -> None:
    if annotation not in LIES:
        return
    given, kept = LIES[annotation]
    if name in {"connection_window_size", "max_frame_size"}:
        given, kept = Number(70_000), 70_000
    elif name == "max_informational":
        given, kept = Number(200), 200
    more = BESIDE.get(name, {})
    made = kind(**{**NEEDED.get(kind, {}), **more, name: given})
    held = getattr(made, name)
    assert exact(held)
    assert repr(held) == repr(kept)


@pytest.mark.parametrize(
    "kind", [mint.TCPOptions, mint.HTTP1Options, mint.HTTP2Options], ids=lambda each: each.__name__
)
def test_a_number_that_misreports_its_range_is_refused(kind: type) -> None:
    for name in (each.name for each in fields(kind) if each.type == "int"):
        with pytest.raises(ValueError, match=name):
            kind(**{name: Number(-5)})


def test_no_error_message_shows_a_secret() -> None:
    for name, value in (
        *(("key_password", each) for each in (b"hunter2", "hunter2\0", ["hunter2"])),
        *(("key_data", each) for each in (b"hunter2", "hunter2", ["hunter2"], "-----BEGIN hunter2\0")),
    ):
        with pytest.raises(ValueError, match=name) as caught:
            mint.TLSOptions(cert_file="c.pem", **{name: value})  # type: ignore[arg-type]  # wrong on purpose
        assert "hunter2" not in str(caught.value)
    for wrong in (
        *({"password": b"hunter2"}, {"username": "me", "password": "hunter2\udcff"}),
        *({"headers": (("a", b"hunter2"),)}, {"headers": (("authorization", "hunter2\n"),)}),
        {"username": "me:hunter2"},
    ):
        with pytest.raises(ValueError, match=r"password|headers|username") as caught:
            mint.Proxy("http", "proxy.test", 1, **wrong)
        assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.__context__!r}"


URLS = [
    "http://me:hunter2%ff@proxy.test:3128",
    "http://hunter2%ff:x@proxy.test:3128",
    "http://me:hunter2@proxy.test:99999",
    "http://me:hunter2@proxy.test:x",
    "http://me:hunter2@[::1",
    "http://me:hunter2@",
    "http://me:hunter2@proxy test",
    "http://me:hunter2@proxy.test/path",
    "http://me:hunter2@proxy.test?hunter2",
    "http://me:hunter2@proxy.test#hunter2",
    "http://me:hunter2\n@proxy.test",
    "http://me:hunter2%00@pro%xy.test",
    "hunter2://me:hunter2@proxy.test",
    "me:hunter2@proxy.test:99999",
    "socks5://me:hunter2@proxy.test:0x",
    "socks5://:hunter2@proxy.test",
    "http://me%3ahunter2:x@proxy.test",
    "http://me:hunter2@xn--a.test",
    "http://me:hunter2\udcff@proxy.test",
]


@pytest.mark.parametrize("url", URLS)
def test_no_error_about_a_url_of_a_proxy_shows_its_password(url: str) -> None:
    for make in (
        mint.Proxy.from_url,
        lambda text: mint.proxy.from_environment("http", "a.test", environ={"http_proxy": text}),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  # any message without the secret
            make(url)
        error: BaseException | None = caught.value
        assert type(error) is ValueError
        while error is not None:
            assert "hunter2" not in f"{error!r} {error.args} {vars(error)} {getattr(error, 'object', '')}"
            error = error.__context__


# -- `connect`: no connection is opened


class Listener:
    """Takes connections, and counts them: those that nobody has accepted yet are counted by asking."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    def dialled(self) -> bool:
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def in_asyncio(**given: Any) -> None:
    asyncio.run(mint.asyncio.connect(**given))


def in_trio(**given: Any) -> None:
    trio.run(partial(mint.trio.connect, **given))


CONNECTS: dict[str, tuple[Callable[..., object], Callable[..., object]]] = {
    "mint": (mint.connect, mint.connect),
    "http1": (mint.http1.connect, mint.http1.connect),
    "http2": (mint.http2.connect, mint.http2.connect),
    "asyncio": (mint.asyncio.connect, in_asyncio),
    "trio": (mint.trio.connect, in_trio),
}
PARAMETERS: dict[str, list[object]] = {
    "scheme": [None, 5, "ftp", b"http", ["http"], ""],
    "address": WRONG["Address"],
    "port": [None, "80", True, -1, 65_536, 1.5, NAN],
    "hostname": [5, b"a", "a\0b", "", "a b", True, ["a"]],
    "protocols": [None, "http1", (), ("http3",), ("http1", "http1"), 5, [["http1"]], {"http1": 1}],
    "proxy": [5, "http://me:hunter2@proxy.test", {}, mint.Proxy],
    "mailbox": [5, "x", {}, mint.Mailbox],
    "tcp": [None, 5, {}, mint.TLSOptions()],
    "tls": [None, 5, {}, mint.TCPOptions()],
    "http1": [5, {}, mint.HTTP2Options()],
    "http2": [5, {}, mint.HTTP1Options()],
    "log": [None, 0, 1, "yes"],
    "record": [5, b"x", {}, type],
    "resolver": [5, "x", {}],
    "socket": [5, "x", {}, 3.5],
}


@pytest.mark.parametrize("loop", CONNECTS)
def test_every_parameter_of_connect_is_in_the_table(loop: str) -> None:
    assert set(inspect.signature(CONNECTS[loop][0]).parameters) <= set(PARAMETERS)


@pytest.mark.parametrize("loop", CONNECTS)
@pytest.mark.parametrize("name", PARAMETERS)
def test_connect_refuses_arguments_by_name_before_connecting(loop: str, name: str) -> None:
    signature, connect = CONNECTS[loop]
    if name not in inspect.signature(signature).parameters:
        return
    with Listener() as listener:
        for value in PARAMETERS[name]:
            given = {"scheme": "http", "address": "127.0.0.1", "port": listener.port, name: value}
            with pytest.raises((TypeError, ValueError)) as caught:
                connect(**given)
            assert name in str(caught.value), (value, str(caught.value))
            assert "hunter2" not in str(caught.value)
            assert not listener.dialled(), value


@pytest.mark.parametrize("loop", CONNECTS)
def test_tls_options_that_openssl_refuses_are_refused_before_connecting(loop: str) -> None:
    """Among them: a context for servers, an unknown cipher, and files that do not exist."""
    server = server_context("localhost")
    with Listener() as listener:
        for options in (
            mint.TLSOptions(context=server),
            mint.TLSOptions(ciphers="NOTHING"),
            mint.TLSOptions(ca_file="/nowhere.pem"),
            mint.TLSOptions(ca_data="no PEM"),
            mint.TLSOptions(cert_file="/nowhere.pem"),
            mint.TLSOptions(key_log_file="/nowhere/log"),
        ):
            with pytest.raises(mint.errors.TLSFailed) as caught:
                CONNECTS[loop][1](scheme="https", address="127.0.0.1", port=listener.port, tls=options)
            assert caught.value.processed is mint.Processed.NO
            assert not listener.dialled()


@pytest.mark.parametrize("loop", CONNECTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tls_socket_is_refused_and_stays_open(loop: str, scheme: str) -> None:
    ours, theirs = socket.socketpair()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wrapped = client.wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)
    with wrapped, theirs:
        with pytest.raises(TypeError, match="socket"):
            CONNECTS[loop][1](scheme=scheme, address="127.0.0.1", port=1, socket=wrapped)
        assert wrapped.fileno() >= 0  # it still belongs to the caller


@pytest.mark.parametrize("loop", CONNECTS)
def test_unconnected_and_datagram_sockets_are_refused(loop: str) -> None:
    with socket.socket() as unconnected, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        for wrong in (unconnected, datagrams):
            with pytest.raises(ValueError, match="socket"):
                CONNECTS[loop][1](scheme="http", address="127.0.0.1", port=1, socket=wrong)


@pytest.mark.parametrize("loop", CONNECTS)
def test_closed_and_foreign_mailboxes_are_refused_before_connecting(loop: str) -> None:
    closed = mint.Mailbox()
    closed.close()
    with Listener() as listener:
        with pytest.raises((TypeError, mint.errors.MailboxClosed)):
            CONNECTS[loop][1](scheme="http", address="127.0.0.1", port=listener.port, mailbox=closed)
        assert not listener.dialled()


# -- resolvers: any exception of a resolver ends the attempt at once

RAISED: list[type[BaseException]] = [
    *(
        ValueError,
        RuntimeError,
        OSError,
        socket.gaierror,
        TimeoutError,
        UnicodeError,
        MemoryError,
        LookupError,
    ),
    *(
        SystemExit,
        KeyboardInterrupt,
        GeneratorExit,
        StopIteration,
        StopAsyncIteration,
        asyncio.CancelledError,
    ),
    *(BaseException, mint.errors.TransportReset),
]


@pytest.mark.parametrize("loop", CONNECTS)
@pytest.mark.parametrize("raised", RAISED, ids=lambda each: each.__name__)
def test_a_resolver_that_raises_ends_the_attempt(loop: str, raised: type[BaseException]) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise raised

    # Without a timeout, the test would hang if the exception did not end the attempt.
    tcp = mint.TCPOptions(connect_timeout=None)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # any exception
        CONNECTS[loop][1](scheme="http", address="a.test", port=1, resolver=resolver, tcp=tcp)
    error = caught.value
    assert isinstance(error, (raised, mint.MintError)) or isinstance(error.__cause__, raised)


@pytest.mark.parametrize("loop", CONNECTS)
@pytest.mark.parametrize(
    "answer", [None, 5, [5], [None], ["a.test"], [b"127.0.0.1"], [UnixAddress("/x")], []], ids=repr
)
def test_a_resolver_that_returns_invalid_addresses_ends_the_attempt(loop: str, answer: Any) -> None:
    tcp = mint.TCPOptions(connect_timeout=None)
    with pytest.raises((TypeError, mint.errors.NameNotResolved)):
        CONNECTS[loop][1](scheme="http", address="a.test", port=1, resolver=lambda *_: answer, tcp=tcp)


def test_the_addresses_of_a_resolver_are_limited() -> None:
    def resolver(host: str, port: int) -> Any:
        while True:
            yield "127.0.0.1"

    with Listener() as listener:
        port = listener.port
    with pytest.raises(mint.errors.ConnectionRefused):
        mint.connect("http", "a.test", port, resolver=resolver)


# -- operations: nothing is sent


def http1() -> tuple[mint.HTTP1, mint.transport.Memory]:
    link = mint.transport.Memory()
    return mint.http1.initiate(link, scheme="http", hostname="a", identity=1), link


def http2() -> tuple[mint.HTTP2, mint.transport.Memory]:
    link = mint.transport.Memory()
    conn = mint.http2.initiate(link, scheme="http", hostname="a", identity=1)
    link.put(h2.settings().serialize() + h2.settings(ack=True).serialize())
    conn, _ = conn.recv(timeout=0)
    link.take()
    return conn, link


BODIES: list[object] = [5, "x", ["x"], [5], {"a": 1}, {b"a": 1}, object(), [None]]
REFS: list[object] = [None, 5, "x", ("a", 1)]
CALL: dict[str, dict[str, object]] = {
    "request": {"method": "GET", "target": "/"},
    "stream_request_body": {"ref": mint.RequestRef(1, 1), "data": b""},
    "recv": {"timeout": 0},
    "set_window_size": {"scope": "connection", "size": 2**30},
    "set_refill": {"ref": mint.RequestRef(1, 1), "refill": True},
    "update_priority": {"ref": mint.RequestRef(1, 1), "priority": mint.Priority()},
    "put_private": {"key": "a", "value": 1},
    "set_mode": {"mode": "passive"},
}
BOTH: dict[tuple[str, str], list[object]] = {
    **{(name, "ref"): REFS for name in ("stream_request_body", "request_body_window")},
    ("request", "method"): [None, 5, b"GET", ["GET"]],
    ("request", "target"): [None, 5, b"/", ["/"]],
    ("request", "headers"): [None, 5, "ab", {"a": "b"}],
    ("request", "body"): BODIES,
    ("request", "flush"): BOOLS,
    ("stream_request_body", "data"): [None, 5, "x", [b"x"], Eof],
    ("stream_request_body", "flush"): BOOLS,
    ("recv", "byte_count"): [None, True, "1", 1.5, -1, NAN, 2**70],
    ("recv", "timeout"): ["1", b"1", True, NAN, INF, -INF, 10**400, [1]],
    ("flush", "timeout"): ["1", b"1", True, NAN, INF, -INF, 10**400, [1]],
    ("set_mode", "mode"): [None, 5, "x", ["active"]],
    ("move_to", "mailbox"): [None, 5, "x"],
    ("is_open", "direction"): [None, 5, "x", ["read"]],
    ("put_private", "key"): [None, 5, b"x", ["x"]],
    ("put_log", "log"): BOOLS,
    ("after", "error"): [None, 5, ValueError("x")],
}
ONLY2: dict[tuple[str, str], list[object]] = {
    **{(name, "ref"): REFS for name in ("cancel_request", "set_refill", "update_priority")},
    **{(f"get_{whose}_setting", "name"): [None, 5, "x", b"max_frame_size"] for whose in ("server", "client")},
    ("ping", "payload"): [None, 5, "12345678", b"short", Octets(b"12345678x"), bytearray(9)],
    ("set_window_size", "size"): [None, True, "1", 1.5, NAN, 0, -1, 2**31],
    ("set_refill", "refill"): BOOLS,
    ("update_priority", "priority"): [None, 5, "u=1", ("priority", "u=1")],
}
# Parameters that accept anything, or that another table tests.
FREE = {"value", "default", "message", "scope", "trailers"}


def rows() -> list[tuple[str, str, str]]:
    made = [("http1", *row) for row in BOTH]
    made += [("http2", *row) for row in (*BOTH, *ONLY2)]
    return made


@pytest.mark.parametrize("kind", [mint.HTTP1, mint.HTTP2], ids=lambda each: each.__name__)
def test_every_parameter_of_a_connection_is_in_the_table(kind: type) -> None:
    known = {**BOTH, **ONLY2}
    settings = {each.name for each in fields(mint.ClientSettings)}
    missing = [
        (name, parameter)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in {"opened", "undelivered"}
        for parameter in list(inspect.signature(method).parameters)[1:]
        if (name, parameter) not in known and parameter not in FREE | settings
    ]
    assert set(missing) <= {("set_mode", "mailbox"), ("get_private", "key"), ("delete_private", "key")}


@pytest.mark.parametrize(("protocol", "method", "parameter"), rows())
def test_operations_refuse_arguments_by_name_and_send_nothing(
    protocol: str, method: str, parameter: str
) -> None:
    for value in {**BOTH, **ONLY2}[method, parameter]:
        conn, link = http1() if protocol == "http1" else http2()
        with pytest.raises((TypeError, ValueError)) as caught:
            getattr(conn, method)(**{**CALL.get(method, {}), parameter: value})
        message = str(caught.value)
        assert parameter in message or "message is str" in message or "setting" in message, (value, message)
        assert link.take() == b""
        # The connection can still be used.
        assert conn.request("GET", "/")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
@pytest.mark.parametrize(
    "body",
    [
        Octets(b"content"),
        Array(b"content"),
        memoryview(b"content"),
        bytearray(b"content"),
        [Octets(b"con"), Array(b"te"), b"nt"],
        (memoryview(b"cXoXnXtXeXnXtX")[::2],),
    ],
    ids=lambda each: type(each).__name__,
)
def test_content_of_any_bytes_type_is_sent_by_its_real_value(protocol: str, body: Any) -> None:
    conn, link = http1() if protocol == "http1" else http2()
    conn.request("POST", "/", (), body)
    sent = link.take()
    assert sent.endswith(b"content")
    assert (b"content-length: 7\r\n" in sent) is (protocol == "http1")


@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_streamed_content_of_any_bytes_type_is_sent_by_its_real_value(protocol: str) -> None:
    for data in (Octets(b"content"), Array(b"content"), memoryview(b"content")):
        conn: mint.Connection
        conn, link = http1() if protocol == "http1" else http2()
        conn, ref = conn.request("POST", "/", [("content-length", "7")], mint.STREAM)
        link.take()
        conn = conn.stream_request_body(ref, data)
        conn.stream_request_body(ref, mint.Eof())
        assert b"content" in link.take()


class Wrapped(bytes):
    """A `bytes` whose `__bytes__` returns a misreporting subclass."""

    def __bytes__(self) -> bytes:
        return Octets(b"x" * 200_000)


def test_content_whose_conversion_misreports_is_sent_by_its_real_value() -> None:
    conn, link = http1()
    conn.request("POST", "/", (), Wrapped(b"ab"))
    assert link.take().endswith(b"content-length: 2\r\n\r\nab")


# -- `initiate`, mailboxes and other functions

INITIATE: dict[str, list[object]] = {
    "transport": [None, 5, "x", mint.transport.Memory],
    **{name: PARAMETERS[name] for name in ("scheme", "log", "record")},
    "hostname": [None, 5, b"a", "a\0b", "", "a b", True],
    "port": [None, "80", True, -1, 65_536, 1.5],
    "http1": [None, 5, {}, mint.HTTP2Options()],
    "http2": [None, 5, {}, mint.HTTP1Options()],
    "identity": ["1", True, -1, 2**64, 1.5],
    "mailbox": [5, "x", mint.Mailbox],
    "forward_proxy": BOOLS,
    "proxy_headers": WRONG["HeaderFields"],
}


@pytest.mark.parametrize("module", ["http1", "http2"])
@pytest.mark.parametrize("name", INITIATE)
def test_initiate_refuses_arguments_by_name_and_sends_nothing(module: str, name: str) -> None:
    initiate: Callable[..., object] = mint.http1.initiate if module == "http1" else mint.http2.initiate
    parameters = set(inspect.signature(initiate).parameters)
    assert parameters <= set(INITIATE)
    if name not in parameters:
        return
    for value in INITIATE[name]:
        link = mint.transport.Memory()
        given: dict[str, Any] = {"transport": link, "scheme": "http", "hostname": "a", name: value}
        with pytest.raises((TypeError, ValueError)) as caught:
            initiate(**given)
        assert name in str(caught.value), (value, str(caught.value))
        assert link.take() == b""


@pytest.mark.parametrize("timeout", ["1", b"1", True, NAN, INF, -INF, 10**400, [1]], ids=repr)
def test_a_mailbox_refuses_invalid_timeouts(timeout: Any) -> None:
    with mint.Mailbox() as mailbox, pytest.raises(ValueError, match="timeout"):
        mailbox.receive(timeout=timeout)


def test_the_url_of_a_proxy_must_be_a_str() -> None:
    for wrong in (None, 5, b"http://proxy.test", ["x"]):
        with pytest.raises(TypeError, match="url"):
            mint.Proxy.from_url(wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_address_objects_are_accepted() -> None:
    for address in (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"), UnixAddress("/run/x")):
        assert mint.Proxy("http", address, 1).address == address
    assert UnixAddress("\0abstract").path == "\0abstract"
