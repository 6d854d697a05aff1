"""Events of the connection (`optional_responses`) and priorities, through the public interface."""

from __future__ import annotations

import pytest

import mint
from mint import errors
from mint.testing import ScriptedServer, Step, http2
from mint.testing.http2 import ExpectFrame, ExpectHeaders, Frame, FrameType, Setting
from mint.transport import Memory

ALL = mint.HTTP2Options(optional_responses=("origin", "alt_svc", "goaway", "settings"))
NEVER = mint.HTTP2Options()


def opened(options: mint.HTTP2Options, *frames: Frame) -> tuple[mint.HTTP2, Memory, list[mint.Response]]:
    link = Memory()
    conn = mint.http2.initiate(link, scheme="https", hostname="a.test", http2=options, identity=7)
    sent = (http2.settings((Setting.NO_RFC7540_PRIORITIES, 1)), *frames)
    link.put(b"".join(frame.serialize() for frame in sent))
    conn, responses = conn.recv()
    return conn, link, list(responses)


FRAMES = (
    http2.origin_set("https://a.test", "https://b.test"),
    http2.alt_svc('h3=":443"', origin="https://a.test"),
    http2.goaway(0, 0, b"bye"),
)
EVENTS: dict[str, mint.ConnectionEvent] = {
    "settings": mint.ServerSettings((("no_rfc7540_priorities", 1),)),
    "origin": mint.Origins(("https://a.test", "https://b.test")),
    "alt_svc": mint.AltSvc('h3=":443"', "https://a.test"),
    "goaway": mint.GoAway(0, 0, "NO_ERROR", b"bye"),
}


def test_nothing_is_reported_by_default() -> None:
    assert opened(NEVER, *FRAMES)[2] == []


def test_everything_is_reported_in_order() -> None:
    assert opened(ALL, *FRAMES)[2] == list(EVENTS.values())


@pytest.mark.parametrize("name", ["origin", "alt_svc", "goaway", "settings"])
def test_each_is_reported_alone(name: str) -> None:
    options = mint.HTTP2Options(optional_responses=(name, name))  # type: ignore[arg-type]  # one of them
    assert opened(options, *FRAMES)[2] == [EVENTS[name]]


@pytest.mark.parametrize(
    "wrong", ["origin", ["origin"], ("origins",), (None,), None, ("status_reason",), {"goaway"}]
)
def test_other_names_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="optional_responses must be"):
        mint.HTTP2Options(optional_responses=wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_an_error_carries_events_that_were_reported_before_it() -> None:
    conn, link, _ = opened(ALL)
    link.put(FRAMES[0].serialize() + http2.priority_update(1).serialize() + FRAMES[1].serialize())
    with pytest.raises(errors.ProtocolViolation, match="PRIORITY_UPDATE") as caught:
        conn.recv()
    assert caught.value.responses == (EVENTS["origin"],)


def test_a_fork_reports_the_same() -> None:
    conn, link, _ = opened(ALL)
    fork = conn.fork()
    assert isinstance(fork.transport, Memory)
    link.put(FRAMES[1].serialize())
    conn, responses = conn.recv()
    assert list(responses) == [EVENTS["alt_svc"]]
    fork.transport.put(FRAMES[0].serialize())
    fork, responses = fork.recv()
    assert list(responses) == [EVENTS["origin"]]


def test_priorities() -> None:
    conn, link, _ = opened(NEVER)
    conn, ref = conn.request("GET", "/", [mint.Priority(1).field()])
    link.take()
    before = conn
    conn = conn.update_priority(ref, mint.Priority(0, incremental=True))
    assert link.take() == http2.priority_update(1, "u=0, i").serialize()
    with pytest.raises(errors.StaleConnectionError):
        before.update_priority(ref, mint.Priority())
    assert conn.get_server_setting("no_rfc7540_priorities") is True
    assert conn.get_client_setting("no_rfc7540_priorities") is False
    for wrong in (None, 1, "u=1"):
        with pytest.raises(TypeError, match=r"priority must be a mint\.Priority"):
            conn.update_priority(ref, wrong)  # type: ignore[arg-type]  # wrong on purpose
    conn = conn.cancel_request(ref)
    with pytest.raises(errors.UnknownRequestToStream) as over:
        conn.update_priority(ref, mint.Priority())
    assert over.value.local
    link.put(http2.settings((Setting.NO_RFC7540_PRIORITIES, 0)).serialize())
    conn, _ = conn.recv()
    conn, ref = conn.request("GET", "/")
    with pytest.raises(errors.PrioritiesNotEnabled) as caught:
        conn.update_priority(ref, mint.Priority())
    assert caught.value.local
    assert caught.value.processed is mint.Processed.NO


def test_the_setting_that_announces_priorities() -> None:
    link = Memory()
    settings = mint.ClientSettings(no_rfc7540_priorities=True)
    mint.http2.initiate(
        link, scheme="https", hostname="a.test", http2=mint.HTTP2Options(client_settings=settings)
    )
    assert b"\0\x09\0\0\0\x01" in link.take()
    with pytest.raises(ValueError, match="no_rfc7540_priorities must be"):
        mint.ClientSettings(no_rfc7540_priorities=1)  # type: ignore[arg-type]  # wrong on purpose


def test_over_a_socket() -> None:
    script: list[Step] = [
        *http2.handshake((Setting.NO_RFC7540_PRIORITIES, 1)),
        ExpectHeaders(1, (("priority", "u=5"),), end=True),
        http2.send(http2.alt_svc("clear", stream=1)),
        ExpectFrame(FrameType.PRIORITY_UPDATE, stream=0, payload=b"\0\0\0\1u=1, i"),
        http2.send(http2.headers(1, ((":status", "200"),), end=True), http2.goaway(1)),
    ]
    with ScriptedServer(script) as server:
        conn = mint.http2.connect("http", server.address, server.port, http2=ALL)
        conn, ref = conn.request("GET", "/", [mint.Priority(5).field()])
        found: list[mint.Response] = []
        while conn.is_open("read"):
            conn, responses = conn.recv(timeout=30.0)
            for response in responses:
                found.append(response)
                if isinstance(response, mint.AltSvc):
                    assert response.request == ref
                    conn = conn.update_priority(ref, mint.Priority(1, incremental=True))
        assert found[0] == mint.ServerSettings((("no_rfc7540_priorities", 1),))
        assert found[-1] == mint.GoAway(1, 0, "NO_ERROR", b"")
        assert mint.Done(ref) in found
        conn.close()
