"""The honest server of `talk_http2` and its violations, with the `h2` library as a second client.

As long as the server is honest, both clients must read the same; this also shows that it is honest. If it
breaks a rule, `h2` must notice, too, unless the rule is in `LAXER`.
"""

from __future__ import annotations

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from calls_http2 import body, end, request
from fuzz_http2_talk import act
from notes_http2 import Options, Seen
from support import Choices, check, fuzz
from talk_http2 import Talk
from violations_http2 import BROKEN, broken

# Rules that h2 does not enforce; docs/differences.md says why mint enforces them.
LAXER = frozenset(
    {
        "rst-on-idle-stream",
        "rst-without-stream",
        "enable-connect-of-two",
        "enable-connect-withdrawn",
        "priorities-of-two",
        "headers-on-even-stream",
        "too-many-settings",
        "max-frame-size-out-of-range",
        "priority-update-of-a-server",
    }
)
CALM = Options(
    push=True,
    window=65_535,
    threshold=160_000,
    connection_window=65_535,
    max_fields=512,
    max_list=262_144,
    max_block=262_144,
    max_continuations=16,
    max_informational=32,
    max_informational_size=262_144,
    max_trailer_fields=64,
    max_trailer_size=16_384,
    max_settings=32,
)


def client(talk: Talk) -> h2.connection.H2Connection:
    """Return a client of `h2` that has sent the same requests."""
    config = h2.config.H2Configuration(client_side=True, header_encoding=None)
    made = h2.connection.H2Connection(config)
    made.local_settings = h2.settings.Settings(
        client=True,
        initial_values={
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: (1 << 31) - 1,
            h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 20,
            h2.settings.SettingCodes.ENABLE_PUSH: 1,
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1_000,
        },
    )
    made.initiate_connection()
    made.increment_flow_control_window((1 << 31) - 1 - 65_535)
    for one in talk.streams.values():
        if not one.promised:
            fields = [(":method", one.method)]
            fields += [(":scheme", "https"), (":authority", "example.org"), (":path", "/")]
            made.send_headers(one.id, fields, end_stream=not one.was_streaming)
    return made


def text(pairs: object) -> tuple[tuple[str, str], ...]:
    """Return fields in the form that mint uses, without the status."""
    assert isinstance(pairs, list)  # for the type checker
    made = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in pairs]
    return tuple(pair for pair in made if pair[0] != ":status")


def status(pairs: object) -> int:
    """Return the status among fields."""
    assert isinstance(pairs, list)  # for the type checker
    return next(int(bytes(value)) for name, value in pairs if bytes(name) == b":status")


def by_h2(made: h2.connection.H2Connection, octets: bytes) -> list[Seen]:
    """Let `h2` read what the server sent."""
    found: list[Seen] = []
    for event in made.receive_data(octets):
        match event:
            case h2.events.InformationalResponseReceived(stream_id=at, headers=headers):
                found.append(("interim", at, (status(headers), text(headers))))
            case h2.events.ResponseReceived(stream_id=at, headers=headers):
                found += [("status", at, status(headers)), ("headers", at, text(headers))]
            case h2.events.TrailersReceived(stream_id=at, headers=headers):
                found.append(("trailers", at, text(headers)))
            case h2.events.DataReceived(stream_id=at, data=data):
                if data and found and found[-1][:2] == ("data", at):
                    found[-1] = ("data", at, bytes(found[-1][2]) + data)  # type: ignore[call-overload]  # bytes
                elif data:
                    found.append(("data", at, data))
            case h2.events.StreamEnded(stream_id=at):
                found.append(("done", at, None))
            case h2.events.StreamReset(stream_id=at):
                found.append(("failed", at, None))
            case h2.events.PushedStreamReceived(
                parent_stream_id=at, pushed_stream_id=promised, headers=headers
            ):
                found.append(("promise", at or 0, (promised, text(headers))))
            case _:
                pass
    return found


def comparable(seen: list[Seen]) -> list[Seen]:
    """Remove what only mint reports: it filters trailers, and reports why requests fail, and PINGs."""
    made: list[Seen] = []
    over: set[int] = set()
    for kind, at, what in seen:
        if kind in ("trailers", "pong") or (kind == "failed" and at in over):
            continue
        if kind == "done":
            over.add(at)
        what = None if kind == "failed" else what
        if kind == "data" and made and made[-1][:2] == ("data", at):
            made[-1] = ("data", at, bytes(made[-1][2]) + bytes(what))  # type: ignore[call-overload]  # bytes
        else:
            made.append((kind, at, what))
    return made


def one(data: bytes) -> None:
    """Try one input."""
    choices = Choices(data)
    talk = Talk(choices, CALM)
    talk.plain = True
    talk.flush()
    for _ in range(choices.between(1, 4)):
        request(talk)
    for _ in range(choices.between(3, 25)):
        choices.pick((act, act, act, act, body, end))(talk)
    talk.flush()
    made = client(talk)
    try:
        theirs = by_h2(made, talk.all_octets)
    except h2.exceptions.ProtocolError as error:
        check(False, "h2 refuses an honest server", repr(error), talk.log)
        return
    ours = comparable(talk.log)
    theirs = comparable(theirs)
    at = next(
        (i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
        min(len(ours), len(theirs)),
    )
    check(ours == theirs, "h2 reads something different", ours[at:][:3], theirs[at:][:3])
    name = choices.pick(tuple(BROKEN))
    before = len(talk.all_octets)
    broken(talk, name)
    octets = talk.all_octets[before:]
    if not octets or name in LAXER:
        return
    try:
        made.receive_data(octets)
    except (h2.exceptions.ProtocolError, ValueError):
        return
    check(False, "h2 does not notice a broken rule", name, octets[:40])


if __name__ == "__main__":
    fuzz(one)
