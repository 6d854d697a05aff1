"""What type checkers must know about testing http2. Checked, never executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

import mint
import mint.testing
import mint.testing.http2


def testing_http2_conversation_decode(it: mint.testing.http2.Conversation, encoded: bytes) -> None:
    assert_type(it.decode(encoded), tuple[tuple[str, str], ...])


def testing_http2_conversation_fields_of(
    it: mint.testing.http2.Conversation, last: mint.testing.http2.Frame
) -> None:
    assert_type(it.fields_of(last), tuple[tuple[str, str], ...])


def testing_http2_conversation_next_frame(
    it: mint.testing.http2.Conversation,
    peer: mint.testing.Peer,
    wanted: str,
    kind: int | None,
    stream: int | None,
    at_once: bool,
) -> None:
    assert_type(it.next_frame(peer, wanted, kind, stream=stream, at_once=at_once), mint.testing.http2.Frame)


def testing_http2_conversation_observe(
    it: mint.testing.http2.Conversation, frame: mint.testing.http2.Frame
) -> None:
    it.observe(frame)


def testing_http2_frame_has(it: mint.testing.http2.Frame, flag: int) -> None:
    assert_type(it.has(flag), bool)


def testing_http2_frame_serialize(it: mint.testing.http2.Frame) -> None:
    assert_type(it.serialize(), bytes)


def testing_http2_block(fields: list[tuple[str, str]]) -> None:
    assert_type(mint.testing.http2.block(*fields), bytes)


def testing_http2_content(frame: mint.testing.http2.Frame) -> None:
    assert_type(mint.testing.http2.content(frame), bytes)


def testing_http2_continuation(
    stream: int, fields: Sequence[tuple[str, str]] | bytes, end_headers: bool
) -> None:
    assert_type(
        mint.testing.http2.continuation(stream, fields, end_headers=end_headers), mint.testing.http2.Frame
    )


def testing_http2_data(stream: int, payload: bytes, end: bool, padding: int | None) -> None:
    assert_type(mint.testing.http2.data(stream, payload, end=end, padding=padding), mint.testing.http2.Frame)


def testing_http2_expect_goaway(code: int) -> None:
    assert_type(mint.testing.http2.expect_goaway(code), mint.testing.http2.ExpectFrame)


def testing_http2_expect_reset(stream: int, code: int) -> None:
    assert_type(mint.testing.http2.expect_reset(stream, code), mint.testing.http2.ExpectFrame)


def testing_http2_goaway(last: int, code: int, debug: bytes) -> None:
    assert_type(mint.testing.http2.goaway(last, code, debug), mint.testing.http2.Frame)


def testing_http2_handshake(values: list[tuple[int, int]]) -> None:
    assert_type(mint.testing.http2.handshake(*values), tuple[mint.testing.Step, ...])


def testing_http2_headers(
    stream: int,
    fields: Sequence[tuple[str, str]] | bytes,
    end: bool,
    end_headers: bool,
    padding: int | None,
    priority: tuple[int, int, bool] | None,
) -> None:
    assert_type(
        mint.testing.http2.headers(
            stream, fields, end=end, end_headers=end_headers, padding=padding, priority=priority
        ),
        mint.testing.http2.Frame,
    )


def testing_http2_number_of(frame: mint.testing.http2.Frame) -> None:
    assert_type(mint.testing.http2.number_of(frame), int)


def testing_http2_ping(opaque: bytes, ack: bool) -> None:
    assert_type(mint.testing.http2.ping(opaque, ack=ack), mint.testing.http2.Frame)


def testing_http2_priority(stream: int, dependency: int, weight: int, exclusive: bool) -> None:
    assert_type(
        mint.testing.http2.priority(stream, dependency, weight, exclusive=exclusive),
        mint.testing.http2.Frame,
    )


def testing_http2_push_promise(
    stream: int,
    promised: int,
    fields: Sequence[tuple[str, str]] | bytes,
    end_headers: bool,
    padding: int | None,
) -> None:
    assert_type(
        mint.testing.http2.push_promise(stream, promised, fields, end_headers=end_headers, padding=padding),
        mint.testing.http2.Frame,
    )


def testing_http2_read_frame(peer: mint.testing.Peer) -> None:
    assert_type(mint.testing.http2.read_frame(peer), mint.testing.http2.Frame | None)


def testing_http2_rst_stream(stream: int, code: int) -> None:
    assert_type(mint.testing.http2.rst_stream(stream, code), mint.testing.http2.Frame)


def testing_http2_send(frames: list[mint.testing.http2.Frame]) -> None:
    assert_type(mint.testing.http2.send(*frames), mint.testing.http2.SendFrames)


def testing_http2_settings(values: list[tuple[int, int]], ack: bool) -> None:
    assert_type(mint.testing.http2.settings(*values, ack=ack), mint.testing.http2.Frame)


def testing_http2_settings_of(frame: mint.testing.http2.Frame) -> None:
    assert_type(mint.testing.http2.settings_of(frame), dict[int, int])


def testing_http2_window_update(stream: int, increment: int) -> None:
    assert_type(mint.testing.http2.window_update(stream, increment), mint.testing.http2.Frame)


def frames_of_extensions() -> None:
    assert_type(
        mint.testing.http2.alt_svc(b"clear", origin="https://a.test", stream=0), mint.testing.http2.Frame
    )
    assert_type(
        mint.testing.http2.origin_set("https://a.test", b"\xff", stream=0, flags=1), mint.testing.http2.Frame
    )
    assert_type(mint.testing.http2.priority_update(1, "u=1"), mint.testing.http2.Frame)
