"""The grammars of ORIGIN and ALTSVC, compared with regular expressions for every octet in every place."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest

from mint._core.events import EVENTS, AltSvc, Origins
from tests.http2_driver import frame, opened, ping, ref

if TYPE_CHECKING:
    from collections.abc import Iterator

ALTSVC, ORIGIN = 0x0A, 0x0C
ALL = sum(EVENTS.values())
MOST = 65_536  # octets of the largest frame that is read
# RFC 6454 6.2, with the hosts that mint accepts.
GRAMMAR = re.compile(
    rb"[A-Za-z][A-Za-z0-9+.-]*://(?:\[[0-9A-Fa-f:.]{2,}\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
)
VALUE = re.compile(rb"[\t\x20-\x7e]+")
BASES = [
    b"https://a.test",
    b"h+t-t.9://x_y",
    b"http://[2001:db8::1]:443",
    b"https://[::]",
    b"h://0:65535",
    b"https://a-b.C9:00080",
]


def is_origin(text: bytes) -> bool:
    found = GRAMMAR.fullmatch(text)
    return found is not None and int(found["port"] or 0) <= 65_535


def beside(base: bytes) -> Iterator[bytes]:
    """Yield the text, and every text that differs from it in one octet."""
    yield base
    for at in range(len(base) + 1):
        yield base[:at]
        yield base[at:]
        yield base[:at] + base[at + 1 :]
        for octet in range(256):
            yield base[:at] + bytes([octet]) + base[at:]
            yield base[:at] + bytes([octet]) + base[at + 1 :]


def read(texts: list[bytes]) -> list[str]:
    """Return the origins that are found among texts, which are sent in as many frames as are needed."""
    talk = opened(mine=(("max_frame_size", 1 << 17),), events=ALL)
    found: list[str] = []
    payload = b""
    for text in [*texts, None]:
        entry = b"" if text is None else struct.pack(">H", len(text)) + text
        if text is None or len(payload) + len(entry) > MOST:
            (event,) = talk.feed(frame(ORIGIN, 0, 0, payload)).responses
            assert isinstance(event, Origins)
            found += event.origins
            payload = b""
        payload += entry
    assert talk.feed(ping()).output
    return found


@pytest.mark.rfc("8336-2.1")
@pytest.mark.parametrize("base", BASES)
def test_every_octet_of_an_origin_is_checked(base: bytes) -> None:
    texts = list(beside(base))
    wanted = [text.decode().lower() for text in texts if is_origin(text)]
    assert read(texts) == wanted
    assert len(wanted) > 40
    assert len(wanted) < len(texts) // 2


def test_every_port_of_an_origin_is_checked() -> None:
    texts = [f"https://a:{port}".encode() for port in [*range(100), *range(65_000, 66_100), 99_999, 100_000]]
    texts += [b"https://a:" + b"0" * count for count in range(8)]
    assert read(texts) == [text.decode() for text in texts if is_origin(text)]


@pytest.mark.parametrize("first", [0, 1, 255, 256, 257])
def test_entries_of_every_size_are_read_one_after_the_other(first: int) -> None:
    texts = [b"https://" + b"a" * count for count in range(first, first + 40)]
    assert read(texts) == [text.decode() for text in texts if is_origin(text)]


@pytest.mark.parametrize("after", [b"", b"\0", b"\0\x01", b"\0\x0fhttps://b.test", b"\xff\xff"])
def test_a_frame_is_read_only_if_its_entries_fill_it(after: bytes) -> None:
    talk = opened(events=ALL)
    entry = b"\0\x0ehttps://a.test"
    step = talk.feed(frame(ORIGIN, 0, 0, entry + after))
    assert step.responses == ([] if after else [Origins(("https://a.test",))])


@pytest.mark.rfc("7838-4")
@pytest.mark.parametrize("origin", [b"", b"https://a.test"])
def test_every_octet_of_an_alternative_service_is_checked(origin: bytes) -> None:
    talk = opened(events=ALL)
    talk.request()
    stream = 0 if origin else 1
    wanted = ("https://a.test", None) if origin else (None, ref(1))
    for base in (b"h2", b"x"):
        for text in beside(base):
            payload = struct.pack(">H", len(origin)) + origin + text
            responses = talk.state.feed(frame(ALTSVC, 0, stream, payload)).responses
            if VALUE.fullmatch(text):
                assert responses == [AltSvc(text.decode(), *wanted)], text
            else:
                assert responses == [], text


@pytest.mark.rfc("7838-4")
def test_the_length_of_the_origin_of_an_alternative_service_is_exact() -> None:
    talk = opened(events=ALL)
    text = b"https://a.testclear"
    for size in (*range(30), 255, 256, 65_535):
        responses = talk.state.feed(frame(ALTSVC, 0, 0, struct.pack(">H", size) + text)).responses
        if size < len(text) and is_origin(text[:size]):
            assert responses == [AltSvc(text[size:].decode(), text[:size].decode())]
        else:
            assert responses == []


@pytest.mark.rfc("7838-4")
@pytest.mark.parametrize("size", [9, 254, 255, 256, 257, 511, 512, 513, 1024, 4096])
def test_an_alternative_service_may_be_of_an_origin_of_any_size(size: int) -> None:
    origin = b"https://".ljust(size, b"a")
    payload = struct.pack(">H", size) + origin + b"clear"
    responses = opened(events=ALL).feed(frame(ALTSVC, 0, 0, payload)).responses
    assert responses == [AltSvc("clear", origin.decode())]


@pytest.mark.rfc("7838-4")
@pytest.mark.parametrize("base", BASES)
def test_every_octet_of_the_origin_of_an_alternative_service_is_checked(base: bytes) -> None:
    talk = opened(events=ALL)
    for text in beside(base):
        payload = struct.pack(">H", len(text)) + text + b"clear"
        responses = talk.state.feed(frame(ALTSVC, 0, 0, payload)).responses
        assert bool(responses) == is_origin(text), text
