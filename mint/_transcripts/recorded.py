"""An engine state that is recorded: it passes calls on to the state, and writes them to a transcript.

Secrets are masked before anything is written. A replay has only the masked calls and must give exactly the
recorded results. So the results that are written are those of a *shadow*: a second state of the same engine,
which gets the same calls with their secrets masked. As long as nothing was masked, the shadow is the state
itself. If the masks change more than the secrets, the transcript says so.

Like a state, a recorded state is immutable, so operations of old values and forks are recorded, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar, cast

from .._core import http1, http2
from .._core.events import RequestRef, Step
from . import masks
from .blocks import Frames
from .calls import Call
from .lines import Lines
from .recorder import as_recorder
from .results import differences, of_error, of_state, of_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .._core.faults import Fault
    from .calls import State
    from .recorder import Record, Track

_C = TypeVar("_C")
_T = TypeVar("_T")
_DERIVED = frozenset({"authority"})


def options_of(config: http1.Config | http2.Config) -> list[tuple[str, object]]:
    """Return the names and values of an engine's configuration."""
    names = [name for name in dir(type(config)) if not name.startswith("_") and name not in _DERIVED]
    return [(name, getattr(config, name)) for name in names]


def configured(make: Callable[..., _C], options: Mapping[str, object]) -> _C:
    """Make the configuration of an engine from what `options_of` returned."""
    return make(**options)


def _masked_config(config: http1.Config, names: frozenset[str]) -> http1.Config:
    given = dict(options_of(config))
    given["proxy_headers"] = masks.fields(config.proxy_headers, names, fitted=False)
    return configured(http1.Config, given)


def record_http1(state: http1.State, record: Record) -> http1.State:
    """Return the initial state of a connection as one that is recorded."""
    config = state.config
    track = as_recorder(record).track("http1", config.identity)
    names = masks.secret_names(config.sensitive)
    shadow = state
    if not track.secrets and config.proxy_headers:
        hidden = _masked_config(config, names)
        shadow = state if hidden == config else http1.State(hidden)
    track.begin_connection(options_of(shadow.config), [f". {of_state(shadow)}"])
    made = Recorded(track, state, shadow, Lines.start(names), names, 0)
    return cast("http1.State", made)  # it has all methods of a state, and compiled code needs no more


def record_http2(opening: Step[http2.State], record: Record) -> Step[http2.State]:
    """Return the first step of a connection with a state that is recorded."""
    config = opening.state.config
    track = as_recorder(record).track("http2", config.identity)
    names = masks.secret_names(config.sensitive)
    track.begin_connection(options_of(config), of_step(opening, "http2", config.identity))
    made = Recorded(track, opening.state, opening.state, Frames(names), names, 0)
    return opening.leading_to(cast("http2.State", made))  # it has all methods of a state, as above


class Recorded:
    """A state of either protocol that is recorded."""

    __slots__ = ("_names", "_number", "_reader", "_shadow", "_state", "_track")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # like states

    def __init__(
        self,
        track: Track,
        state: State,
        shadow: State,
        reader: Lines | Frames,
        names: frozenset[str],
        number: int,
    ) -> None:
        self._track = track
        self._state = state
        self._shadow = shadow
        self._reader = reader
        self._names = names
        self._number = number

    @property
    def unrecorded(self) -> State:
        """The state itself, for calls that are not to be recorded."""
        return self._state

    def __getattr__(self, name: str) -> object:
        return getattr(self._state, name)

    def __eq__(self, other: object) -> bool:
        return bool(self._state == (other._state if isinstance(other, Recorded) else other))

    def __repr__(self) -> str:
        return f"<recorded {self._state!r}>"

    # -- steps

    def _with(self, state: State, shadow: State, reader: Lines | Frames, number: int) -> Self:
        """Return the successor, or this state if nothing has changed."""
        if state is self._state and shadow is self._shadow and reader is self._reader:
            return self
        if shadow is not state and not reader.held and shadow == state:
            shadow = state  # the masked secrets make no difference any more
        return type(self)(self._track, state, shadow, reader, self._names, number)

    def _number_of(self, shadow: State, number: int) -> int:
        """Return the step that led to a state; a step that changed nothing does not count."""
        return self._number if shadow is self._shadow else number

    def call(self, verb: str, given: tuple[object, ...], masked: tuple[object, ...]) -> Step[Self]:
        """Make a call and record it."""
        track = self._track
        hidden = Call(verb, masked)
        with track:
            number = track.begin_step(verb, self._number, hidden.lines(track.protocol, track.identity))
            try:
                step = _step_of(Call(verb, given).make(self._state))
            except BaseException as error:
                track.end_step(self._number, [of_error(error)])
                raise
            shown = step
            if self._shadow is not self._state or given != masked:
                shown = self._make_shown(hidden, step)
            self._end(number, step, shown)
        return step.leading_to(
            self._with(step.state, shown.state, self._reader, self._number_of(shown.state, number))
        )

    def _make_shown(self, hidden: Call, step: Step[State]) -> Step[State]:
        """Make the call with its secrets masked on the shadow."""
        try:
            return _step_of(hidden.make(self._shadow))
        except Exception as error:  # noqa: BLE001  # recording must not break the connection
            self._track.end_step(self._number, [f"~ with masks: {of_error(error)}"])
            return step.leading_to(self._shadow)

    def _end(self, number: int, step: Step[State], shown: Step[State]) -> None:
        track = self._track
        lines = [*of_step(shown, track.protocol, track.identity)]
        if shown is not step:
            lines[-1:-1] = differences(step, shown)
        track.end_step(self._number_of(shown.state, number), lines)

    # -- calls of both protocols

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: tuple[bytes, ...] | None,
        streaming: bool,
    ) -> Step[Self]:
        """Serialize a request, or refuse it."""
        headers = _listed(headers)
        pairs = _pairs(headers)
        if not (isinstance(method, str) and isinstance(target, str)) or pairs is None:
            return self._unwritten(self._state.request(method, target, headers, body, streaming))
        method, target = str.__str__(method), str.__str__(target)
        return self.call(
            "request",
            (method, target, pairs, body, streaming),
            (method, self._masked_target(target), self._masked(pairs), body, streaming),
        )

    def stream_body(self, ref: RequestRef, data: bytes) -> Step[Self]:
        """Serialize a piece of a body."""
        if not isinstance(ref, RequestRef):
            return self._unwritten(self._state.stream_body(ref, data))
        return self.call("stream_body", (ref, data), (ref, data))

    def end_body(self, ref: RequestRef, trailers: Iterable[tuple[str, str]] = ()) -> Step[Self]:
        """Serialize the end of a body."""
        trailers = _listed(trailers)
        pairs = _pairs(trailers)
        if not isinstance(ref, RequestRef) or pairs is None:
            return self._unwritten(self._state.end_body(ref, trailers))
        return self.call("end_body", (ref, pairs), (ref, self._masked(pairs)))

    def lose(self, broken: Fault) -> Step[Self]:
        """Fail everything that is open, because the transport broke."""
        return self.settled().call("lose", (broken,), (broken,))

    def close(self) -> Step[Self]:
        """Close: open requests get no further responses."""
        return self.settled().call("close", (), ())

    def feed_eof(self, clean: bool) -> Step[Self]:
        """Handle the peer's end."""
        return self.settled().call("feed_eof", (clean,), (clean,))

    def traced(self, on: bool) -> Self:
        """Return the same state with notes turned on or off; they are not recorded."""
        state = self._state.traced(on)
        shadow = state if self._shadow is self._state else self._shadow
        return self._with(state, shadow, self._reader, self._number)

    # -- what arrives

    def feed(self, data: bytes) -> Step[Self]:
        """Parse octets from the peer."""
        octets, reader = self._masked_input(data)
        if not octets:
            # Everything is held back: it is recorded with what follows, or by `settled`.
            step = _step_of(self._state.feed(data))
            made = self._with(step.state, self._shadow, reader, self._number)
            return step.leading_to(made if step.fault is None else made.settled())
        track = self._track
        hidden = Call("feed", (octets,))
        with track:
            number = track.begin_step("feed", self._number, hidden.lines(track.protocol, track.identity))
            try:
                step = _step_of(self._state.feed(data))
            except BaseException as error:
                track.end_step(self._number, [of_error(error)])
                raise
            shown = step
            if self._shadow is not self._state or octets != data:
                shown = self._make_shown(hidden, step)
            # The fault may be in the octets that are held back.
            settles = step.fault is not None and shown.fault is None and bool(reader.held)
            self._end(number, shown if settles else step, shown)
        made = self._with(step.state, shown.state, reader, self._number_of(shown.state, number))
        return step.leading_to(made.settled() if settles else made)

    def settled(self) -> Self:
        """Record what is held back, because the rest of it will not arrive."""
        reader = self._reader
        octets = reader.rest()
        if not octets:
            return self
        track = self._track
        with track:
            hidden = Call("feed", (octets,))
            number = track.begin_step("feed", self._number, hidden.lines(track.protocol, track.identity))
            shown = _step_of(hidden.make(self._shadow))
            track.end_step(
                self._number_of(shown.state, number), of_step(shown, track.protocol, track.identity)
            )
        return self._with(
            self._state, shown.state, reader._replace(held=b""), self._number_of(shown.state, number)
        )

    def unasked(self, data: bytes) -> Step[Self]:
        """Parse octets that arrived while no request was open (HTTP/1)."""
        octets, _ = self._masked_input(data)
        return self.call("unasked", (data,), (octets,))

    def _masked_input(self, data: bytes) -> tuple[bytes, Lines | Frames]:
        reader = self._reader
        if self._track.secrets:
            return data, reader
        if not self._state.is_open_read:
            # The engine ignores it, and where its lines or frames begin is not known any more.
            return bytes(len(data)), reader
        if isinstance(reader, Lines):
            return reader.take(data, cast("http1.State", self._shadow))  # lines are of HTTP/1
        return reader.take(data, cast("http2.State", self._shadow))  # frames are of HTTP/2

    # -- calls of HTTP/2 only

    def cancel(self, ref: RequestRef) -> Step[Self]:
        """Cancel a request."""
        return self.call("cancel", (ref,), (ref,))

    def ping(self, payload: bytes) -> Step[Self]:
        """Send a PING."""
        return self.call("ping", (payload,), (payload,))

    def put_settings(self, settings: tuple[tuple[str, int], ...]) -> Step[Self]:
        """Change settings of the client."""
        return self.call("put_settings", (settings,), (settings,))

    def update_priority(self, ref: RequestRef, value: bytes) -> Step[Self]:
        """Change the priority of a request."""
        return self.call("update_priority", (ref, value), (ref, value))

    def set_receive_window(self, ref: RequestRef | None, size: int) -> Step[Self]:
        """Enlarge a receive window."""
        return self.call("set_receive_window", (ref, size), (ref, size))

    def set_refill(self, ref: RequestRef, on: bool) -> Step[Self]:
        """Stop or resume refilling a receive window."""
        return self.call("set_refill", (ref, on), (ref, on))

    def flushed(self) -> Self:
        """Note that all output was written."""
        return self.left(0)

    def left(self, queued: int) -> Self:
        """Note that at most `queued` octets wait to be written."""
        return self._pass_on("left", queued, queued)

    def at(self, milliseconds: int) -> Self:
        """Set the current time; the transcript counts from the first time that was set."""
        track = self._track
        if track.began is None:
            track.began = milliseconds
        return self._pass_on("at", milliseconds, milliseconds - track.began)

    def _pass_on(self, verb: str, given: int, shown: int) -> Self:
        """Pass the time or the queue's size to the state; record that if the state changes."""
        track = self._track
        call = Call(verb, (given,))
        state = _state_of(call.make(self._state))
        if state is self._state:
            return self
        shadow = state if self._shadow is self._state else _state_of(call.make(self._shadow))
        with track:
            lines = Call(verb, (shown,)).lines(track.protocol, track.identity)
            number = track.begin_step(verb, self._number, lines)
            track.end_step(self._number_of(shadow, number), [f". {of_state(shadow)}"])
        return self._with(state, shadow, self._reader, self._number_of(shadow, number))

    # -- masks

    def _masked(self, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if self._track.secrets:
            return pairs
        return masks.fields(pairs, self._names, fitted=self._track.protocol == "http2")

    def _masked_target(self, target: str) -> str:
        return target if self._track.secrets else masks.target(target)

    def _unwritten(self, step: Step[_T]) -> Step[Self]:
        """Continue after a call that cannot be recorded; the engine raises an exception for such calls."""
        return step.leading_to(self)


def _listed(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Return an iterable that can be read twice; anything invalid is left for the engine to refuse."""
    if (
        isinstance(headers, (str, tuple, list))
        or hasattr(headers, "keys")
        or not hasattr(headers, "__iter__")
    ):
        return headers
    return list(headers)


def _pairs(headers: object) -> tuple[tuple[str, str], ...] | None:
    """Return header fields as they are recorded; `None` if they are not pairs of `str`."""
    if isinstance(headers, str) or hasattr(headers, "keys") or not hasattr(headers, "__iter__"):
        return None
    made: list[tuple[str, str]] = []
    for pair in cast("Iterable[object]", headers):  # it has an __iter__
        match pair:
            case (str() as name, str() as value):
                made.append((str.__str__(name), str.__str__(value)))
            case _:
                return None
    return tuple(made)


def _step_of(made: Step[State] | State) -> Step[State]:
    if not isinstance(made, Step):
        raise TypeError(f"the call must return a Step, not {type(made).__name__}")
    return made


def _state_of(made: Step[State] | State) -> State:
    if isinstance(made, Step):
        raise TypeError("the call must return a State, not a Step")
    return made
