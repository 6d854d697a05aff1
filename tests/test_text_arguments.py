"""Text that cannot be encoded, misreporting subclasses and wrong arguments of helpers are refused by name."""

from __future__ import annotations

import inspect
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any  # wrong arguments are passed, which the types forbid

import pytest

import mint
import mint.content
import mint.exchange
import mint.pool
from mint.transport import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "hunter2"


class Liar(str):
    """Text that claims to equal everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("read")


class EmptyLiar(tuple[object, ...]):
    """A tuple that claims to be empty."""

    __slots__ = ()

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(())


def text_of(error: BaseException) -> str:
    """Return everything that an error and its causes show."""
    texts = [*traceback.format_exception(error)]
    found: BaseException | None = error
    while found is not None:
        texts += [repr(found), repr(found.args), *getattr(found, "__notes__", ())]
        found = found.__cause__ or found.__context__
    return "".join(texts)


def memory() -> mint.HTTP2:
    return mint.http2.initiate(Memory(), scheme="http", hostname="a.test", identity=1)


TLS: Any = mint.TLSOptions
LONE = f"\ud800{SECRET}"
WORDS = ("ca_file", "ca_data", "cert_file", "key_log_file", "ciphers", "key_password")
TEXTS: dict[str, tuple[str, Callable[[], object]]] = {
    **{f"TLSOptions.{name}": (name, partial(TLS, **{name: LONE})) for name in WORDS},
    "TLSOptions.ca_data, not ASCII": ("ca_data", lambda: mint.TLSOptions(ca_data="\xe9")),
    "TLSOptions.ciphers, not ASCII": ("ciphers", lambda: mint.TLSOptions(ciphers="\xe9")),
    "UnixAddress": ("path", lambda: mint.UnixAddress("\ud800")),
    "record, lone": ("record", lambda: mint.connect("http", "a.test", 80, record="\ud800")),
    "record, empty": ("record", lambda: mint.connect("http", "a.test", 80, record="")),
    "record, NUL": ("record", lambda: mint.connect("http", "a.test", 80, record="a\0b")),
}


@pytest.mark.parametrize("row", TEXTS)
def test_text_that_cannot_be_encoded_is_refused_by_name(row: str) -> None:
    name, make = TEXTS[row]
    with pytest.raises(ValueError, match=name) as caught:
        make()
    assert not isinstance(caught.value, UnicodeError)
    if "key_password" in row:
        assert SECRET not in text_of(caught.value).replace(repr(LONE), "")


def test_file_names_need_not_be_utf_8() -> None:
    assert mint.UnixAddress("/\udcff").path == "/\udcff"
    assert mint.TLSOptions(ca_file="/\udcff").ca_file == "/\udcff"


HELPERS: dict[str, tuple[str, Callable[[Any], object], list[object]]] = {
    "is_open": ("direction", lambda given: memory().is_open(given), [Liar("x"), 1, None, [], b"read"]),
    "get_window_size": ("scope", lambda given: memory().get_window_size(given), [Liar("x"), 1, None, []]),
    "put_private": ("key", lambda given: memory().put_private(given, 1), [1, None, [], b"k"]),
    "get_private": ("key", lambda given: memory().get_private(given), [1, None, [], {}, b"k"]),
    "delete_private": ("key", lambda given: memory().delete_private(given), [1, None, [], {}, b"k"]),
    "Memory reads": ("reads", lambda given: Memory(reads=given), [1, 0, None, "yes", []]),
    "Memory clock": ("clock", lambda given: Memory(clock=given), [1, 0, "x", []]),
    "Memory.put": ("octets", lambda given: Memory().put(given), [None, False, 0, "", "x", [], ()]),
    "HTTP1Options": (
        "optional_responses",
        lambda given: mint.HTTP1Options(optional_responses=given),
        [[], [1], {}, EmptyLiar((1,)), (1,), ("x",), ([],), None],
    ),
    "HTTP2Options": (
        "optional_responses",
        lambda given: mint.HTTP2Options(optional_responses=given),
        [[], [1], {}, EmptyLiar((1,)), (1,), ("x",), ([],), None],
    ),
    "Proxy": (
        "protocols",
        lambda given: mint.Proxy("http", "a.test", 80, protocols=given),
        [[], {}, Liar("x"), EmptyLiar((1,)), (1,), None],
    ),
    "alternatives": ("value", mint.alternatives, [None, 5, b"clear", [], ("clear",)]),
    "from_environment host": (
        "host",
        lambda given: mint.proxy.from_environment("http", given, environ={"http_proxy": "http://a.test"}),
        [None, 5, "", "a\0", "\ud800", b"a", []],
    ),
    "from_environment port": (
        "port",
        lambda given: mint.proxy.from_environment("http", "a.test", given),
        [-1, 65_536, True, "80", 1.0, []],
    ),
    "from_environment environ": (
        "environ",
        lambda given: mint.proxy.from_environment("http", "a.test", environ=given),
        [5, "http_proxy", b"", [], object()],
    ),
    "decode": ("content", lambda given: mint.content.decode(given, "gzip"), [None, 5, "x", []]),
    "split_url": ("url", mint.exchange.split_url, [None, 5, b"http://a.test/", []]),
    "send_body conn": (
        "conn",
        lambda given: mint.exchange.send_body(given, mint.RequestRef(1, 1), [b"x"]),
        [None, 5, "x", mint.HTTP1],
    ),
    "send_body received": (
        "received",
        lambda given: mint.exchange.send_body(memory(), mint.RequestRef(1, 1), [b"x"], received=given),
        [5, "x", []],
    ),
}


@pytest.mark.parametrize("row", HELPERS)
def test_helpers_refuse_arguments_by_name(row: str) -> None:
    name, call, values = HELPERS[row]
    for value in values:
        with pytest.raises((TypeError, ValueError)) as caught:
            call(value)
        assert type(caught.value) in {TypeError, ValueError}, (value, caught.value)
        assert name in str(caught.value), (value, str(caught.value))


def test_text_that_equals_everything_is_read_by_its_real_value() -> None:
    assert memory().is_open(Liar("write"))  # type: ignore[arg-type]  # a str
    assert memory().get_window_size(Liar("connection"))  # type: ignore[arg-type]  # a str


METHODS = [None, 5, True, b"GET", "", "GET ", "G\r\nX: y", "G\0", "\xe9", "\ud800", "G(T"]


@pytest.mark.parametrize("call", ["request", "stream"])
def test_a_pool_does_not_connect_for_an_invalid_method(call: str) -> None:
    dialled: list[object] = []

    def connect(origin: object, left: object) -> mint.Connection:
        dialled.append((origin, left))
        raise OSError

    with mint.pool.Pool(connect=connect) as pool:
        assert "method" in inspect.signature(getattr(pool, call)).parameters
        for method in METHODS:
            with pytest.raises((TypeError, mint.errors.InvalidRequestMethod), match="method") as caught:
                getattr(pool, call)(method, "http://a.test/")
            if isinstance(caught.value, mint.MintError):
                assert caught.value.local
                assert caught.value.processed is mint.Processed.NO
    assert not dialled


PASSWORDS = [
    f"{SECRET}{mark}x" for mark in ("", "/", "?", "#", ":", "//", "%", "@", "\\", " ", "\n", "[", "\0")
]


@pytest.mark.parametrize(
    "url",
    [
        *("http://me:{}@a.test/", "HTTPS://me:{}@a.test:x", "http://me:{}@a.test?@", "me:{}@b"),
        *("http://[{}@a.test/", "http://[{}]@a.test/", "http://,{}@a.test/", "http://xn--{}@a.test/"),
    ],
)
def test_a_password_with_special_characters_is_not_shown(url: str) -> None:
    for password in PASSWORDS:
        with pytest.raises(ValueError, match=r".+") as caught:
            mint.exchange.split_url(url.format(password))
        assert SECRET not in text_of(caught.value).replace(url.format(password), "")


USERS = (
    f"u:{SECRET}@h",
    f"{SECRET}@h",
    f"u:{SECRET}@",
    f"u%3A{SECRET}%40h",
    f"u:{SECRET}\u2028@h",
    f"\u20ac{SECRET}@h:1",
)


@pytest.mark.parametrize("user", USERS)
def test_a_url_in_place_of_another_argument_does_not_show_its_password(user: str) -> None:
    link = mint.transport.Memory
    calls: list[Callable[..., object]] = [
        lambda text: mint.connect("http", text, 80),
        lambda text: mint.connect("http", "h", 80, hostname=text),
        lambda text: mint.connect("https", "h", 443, tls=mint.TLSOptions(server_hostname=text)),
        lambda text: mint.Proxy("http", text, 80),
        lambda text: mint.http1.initiate(link(), scheme="http", hostname=text),
        lambda text: mint.http2.initiate(link(), scheme="http", hostname=text),
        lambda text: mint.pool.Pool().request("GET", mint.exchange.URL("http", text, 80, "/")),
    ]
    if "@" not in user:  # valid in RFC 3986, though no server has such a name
        del calls[4:6]
    for call in calls:
        with pytest.raises(ValueError, match="redacted") as caught:
            call(user)
        assert SECRET not in text_of(caught.value)
    for url in (f"http://{user}/", user):
        wrong: list[Callable[..., object]] = [
            lambda text: mint.connect(text, "h", 80),
            lambda text: mint.http1.initiate(link(), scheme=text, hostname="h"),
        ]
        for call in wrong:
            with pytest.raises(ValueError, match="scheme") as caught:
                call(url)
            assert SECRET not in text_of(caught.value) or "@" not in url
