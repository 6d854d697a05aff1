"""The results of a call in a transcript: responses, output, faults, and a summary of the new state."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .._core.events import (
    CLOSE,
    SHUT_WRITE,
    AltSvc,
    Data,
    Failed,
    GoAway,
    Headers,
    Informational,
    Origins,
    PushPromise,
    ServerSettings,
    Status,
    StatusReason,
    Step,
    Trailers,
)
from .calls import fault_text, ref_text
from .literals import of_frames, of_octets, quoted, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._core.events import Event
    from .calls import State

_NAMES = {
    "StatusReason": "reason",
    "PushPromise": "promise",
}
_SHOWN = 48
"""Up to how many octets the content of a response is shown; the input contains all of it."""


def _fields(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        yield f"    {written(name)} {written(value)}"


def _content(data: bytes) -> str:
    if len(data) <= _SHOWN:
        return quoted(data)
    return f"{len(data)} octets, sha256 {hashlib.sha256(data).hexdigest()[:16]}"


def _of_response(event: Event, identity: int) -> Iterator[str]:
    """Return the lines of a response, with one line per header field."""
    if isinstance(event, (Origins, AltSvc, GoAway, ServerSettings)):
        yield f"* {_of_connection(event, identity)}"
        return
    kind = type(event).__name__
    named = f"* {_NAMES.get(kind, kind.lower())} {ref_text(event.ref, identity)}"
    match event:
        case Status(status=status):
            yield f"{named} {status}"
        case StatusReason(reason=reason):
            yield f"{named} {written(reason)}"
        case Informational(status=status, headers=headers):
            yield f"{named} {status}"
            yield from _fields(headers)
        case Headers(headers=headers) | Trailers(headers=headers):
            yield named
            yield from _fields(headers)
        case Data(data=data):
            yield f"{named} {_content(data)}"
        case PushPromise(promised_ref=promised, headers=headers):
            yield f"{named} {ref_text(promised, identity)}"
            yield from _fields(headers)
        case Failed(fault=fault):
            yield f"{named} {fault_text(fault)}"
        case _:
            yield named


def _of_connection(event: Origins | AltSvc | GoAway | ServerSettings, identity: int) -> str:
    """Return the line of an event that concerns the connection."""
    match event:
        case Origins(origins=origins):
            return " ".join(("origins", *map(written, origins)))
        case AltSvc(value=value, origin=origin, request=request):
            about = ref_text(request, identity) if request is not None else written(origin or "")
            return f"alt-svc {about} {written(value)}"
        case GoAway(last_stream=last, error=name, debug=debug):
            return f"goaway {last} {name} {_content(debug)}"
        case ServerSettings(settings=settings):
            return " ".join(("settings", *(f"{name}={number}" for name, number in settings)))


def of_state(state: State) -> str:
    """Return a summary of a state on one line."""
    reads = "reads" if state.is_open_read else "reads no more"
    writes = "writes" if state.is_open_write else "writes no more"
    made = [f"{state.open_request_count} open", reads, writes]
    more = {
        "is_tunnel": "a tunnel",
        "is_streaming": "a body is streamed",
        "draining": "draining",
        "settings_received": "settings came",
    }
    made += [text for name, text in more.items() if getattr(state, name, False)]
    window = getattr(state, "send_window", None)
    if window is not None:
        made.append(f"window {window(None)}")
    return ", ".join(made)


def of_step(step: Step[State], protocol: str, identity: int) -> Iterator[str]:
    """Return the lines of all results of a step."""
    output = b"".join(step.output)
    for each in of_frames(output) if protocol == "http2" else of_octets(output):
        yield f"> {each}"
    if step.ref is not None:
        yield f"= {ref_text(step.ref, identity)}"
    for event in step.responses:
        yield from _of_response(event, identity)
    if step.cause is not None:
        yield f"! cause {fault_text(step.cause)}"
    if step.fault is not None:
        yield f"! {fault_text(step.fault)}"
    if step.end in {SHUT_WRITE, CLOSE}:
        yield "! the link is closed" if step.end == CLOSE else "! no more is sent"
    yield f". {of_state(step.state)}"


def of_error(error: BaseException) -> str:
    """Return the line of an exception, without its text, which may contain secrets."""
    return f"! raised {type(error).__name__}"


def differences(real: Step[State], shown: Step[State]) -> Iterator[str]:
    """Return lines that say how a step differs from that of the same call with its secrets masked."""
    ours, theirs = _outline(real), _outline(shown)
    for name, mine in ours.items():
        if mine != theirs[name]:
            yield f"~ without masks: {name} {mine}, not {theirs[name]}"


def _outline(step: Step[State]) -> dict[str, object]:
    """Return the results that masks must not change."""
    return {
        "responses": [type(each).__name__ for each in step.responses],
        "octets of output": sum(len(each) for each in step.output),
        "fault": None if step.fault is None else step.fault.reason,
        "ref": None if step.ref is None else step.ref.number,
        "end": step.end,
        "state": of_state(step.state),
    }
