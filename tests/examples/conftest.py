"""Run the tests of the examples also with responses that a connection may return at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import mint

NOISE: tuple[mint.Response, ...] = (
    mint.Pong(mint.RequestRef(7, -99)),
    mint.PushPromise(mint.RequestRef(7, 1), mint.RequestRef(7, 2), ()),
    mint.Origins(("https://a.test",)),
    mint.AltSvc('h3=":443"', "https://a.test"),
    mint.AltSvc("clear", None, mint.RequestRef(7, 1)),
    mint.GoAway(2**31 - 1, 0, "NO_ERROR", b""),
    mint.ServerSettings((("max_frame_size", 16_384),)),
)


@dataclass(frozen=True)
class Later:
    """A response that a later version may add; it has no ref."""

    what: str


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a Pong, a push, events and an unknown response before and after all received responses."""
    base = mint.HTTP2.__mro__[1]
    for name in ("recv", "stream"):
        real = getattr(base, name)

        def noisy(self: Any, *given: Any, real: Any = real, **named: Any) -> Any:  # of recv or stream
            found = real(self, *given, **named)
            if found is mint.UNKNOWN:
                return found
            conn, responses = found
            return conn, [Later("before"), *NOISE, *responses, *NOISE, Later("behind")]

        monkeypatch.setattr(base, name, noisy)


@pytest.fixture(params=["calm", "noisy"], autouse=True)
def surroundings(request: pytest.FixtureRequest) -> None:
    """Run every test a second time with a Pong, a push and events among the responses."""
    if request.param == "noisy":
        request.getfixturevalue("noise")
