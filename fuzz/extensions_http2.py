"""Frames of extensions, and the events that they, SETTINGS and GOAWAY must lead to.

Each frame is valid or invalid on purpose, so the expected events are known before mint sees it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from frames_http2 import frame
from mint._core.events import AltSvc, GoAway, Origins, ServerSettings

if TYPE_CHECKING:
    from support import Choices
    from talk_http2 import Talk

ALTSVC, ORIGIN, PRIORITY_UPDATE = 10, 12, 16
WANT_ORIGIN, WANT_ALT_SVC, WANT_GOAWAY, WANT_SETTINGS = 1, 2, 4, 8

GOOD = (
    b"https://a.test",
    b"http://b.test:80",
    b"HTTPS://C.Test",
    b"x+y://[::1]:0",
    b"https://d_e.test:65535",
    b"https://" + b"a" * 300,
)
BAD = (
    b"",
    b"null",
    b"https://",
    b"https://a.test/",
    b"https://*.test",
    b"https://\xe4.test",
    b"https://a.test:65536",
    b"https://u@a.test",
    b"//a.test",
    b"https://a\0",
)
VALUES = (b"clear", b'h3=":443"', b'h2="a.test:1"; ma=5\t, h3=":2"')
BAD_VALUES = (b"", b"cle\nar", b"\xff", b"a\x7f", b"\0")
NUMBERS = {
    "header_table_size": 1,
    "enable_push": 2,
    "max_concurrent_streams": 3,
    "initial_window_size": 4,
    "max_frame_size": 5,
    "max_header_list_size": 6,
    "enable_connect_protocol": 8,
    "no_rfc7540_priorities": 9,
}

Seen = tuple[str, int, object]


def entry(octets: bytes) -> bytes:
    """Return octets with their length before them."""
    return struct.pack(">H", len(octets)) + octets


def seen_of(event: Origins | AltSvc | GoAway | ServerSettings) -> Seen:
    """Return an event of the connection in the form in which the server notes it."""
    match event:
        case Origins(origins=origins):
            return ("origins", 0, origins)
        case AltSvc(value=value, origin=origin, request=request):
            return ("alt-svc", 0 if request is None else request.number, (origin, value))
        case GoAway(last_stream=last, code=code, debug=debug):
            return ("goaway", 0, (last, code, debug))
        case ServerSettings(settings=settings):
            return (
                "settings",
                0,
                tuple((NUMBERS.get(name) or int(name, 16), value) for name, value in settings),
            )


def origin(talk: Talk, choices: Choices) -> None:
    """Send an ORIGIN with some entries."""
    entries = [choices.pick(GOOD if choices.chance(70) else BAD) for _ in range(choices.below(5))]
    flags = choices.pick((0, 0, 0, 0x10, 0xF0, 1, 2, 4, 8))
    stream = choices.pick((0, 0, 0, 0, 1, 2, 99))
    cut = choices.pick((b"", b"", b"", b"\0", b"\0\x01", b"\xff\xff" + bytes(9)))
    talk.put(frame(ORIGIN, flags, stream, b"".join(map(entry, entries)) + cut))
    if talk.options.events & WANT_ORIGIN and not (flags & 0x0F or stream or cut):
        talk.expect("origins", 0, tuple(one.decode().lower() for one in entries if one in GOOD))


def alt_svc(talk: Talk, choices: Choices) -> None:
    """Send an ALTSVC about an origin, or about that of a stream."""
    streams = [one.id for one in talk.streams.values() if one.live]
    value = choices.pick(VALUES if choices.chance(75) else BAD_VALUES)
    right = value in VALUES
    if streams and choices.chance(50):
        stream, name = choices.pick(streams), b"" if choices.chance(85) else GOOD[0]
        right = right and not name
    elif choices.chance(15):
        stream, name, right = talk.next_request + 2 * choices.below(3), b"", False
    else:
        stream, name = 0, choices.pick(GOOD if choices.chance(75) else BAD)
        right = right and name in GOOD
    payload = entry(name) + value
    if choices.chance(8):
        payload, right = choices.pick((b"", b"\0", b"\xff\xff" + payload)), False
    talk.put(frame(ALTSVC, choices.pick((0, 0, 255)), stream, payload))
    if right and talk.options.events & WANT_ALT_SVC:
        talk.expect("alt-svc", stream, (name.decode().lower() or None, value.decode()))


def extension(talk: Talk) -> None:
    """Send a frame that an extension defines."""
    (origin if talk.choices.chance(50) else alt_svc)(talk, talk.choices)


def settings_came(talk: Talk, pairs: list[tuple[int, int]]) -> None:
    """Note that SETTINGS were sent: the expected event, and whether priorities may be sent."""
    for identifier, value in pairs:
        if identifier == NUMBERS["no_rfc7540_priorities"]:
            talk.peer_priorities = value
    if talk.options.events & WANT_SETTINGS:
        talk.expect("settings", 0, tuple(pairs))
