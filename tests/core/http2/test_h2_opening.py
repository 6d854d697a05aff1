"""What the first octets of a connection say: every setting, in its order and once, and the window."""

from __future__ import annotations

import itertools
import struct

import pytest

from mint._core.http2 import State
from tests.http2_driver import PREFACE, SETTINGS, WINDOW_UPDATE, Frame, config, frames_of

# Identifier, an allowed value, and another one.
SETTINGS_OF_A_CLIENT = {
    "header_table_size": (1, 0, 65_536),
    "enable_push": (2, 1, 0),
    "max_concurrent_streams": (3, 0, 4_294_967_295),
    "initial_window_size": (4, 0, 2_147_483_647),
    "max_frame_size": (5, 16_384, 16_777_215),
    "max_header_list_size": (6, 1, 2_147_483_647),
    "no_rfc7540_priorities": (9, 1, 0),
}
USUAL = {"enable_push": 0, "initial_window_size": 4_194_304, "max_header_list_size": 262_144}
MOST_WINDOW = (1 << 31) - 1


def expected(given: tuple[tuple[str, int], ...], window: int) -> bytes:
    """Return the opening: the defaults that are not given, then what is given, then the window."""
    pairs = [pair for pair in USUAL.items() if pair[0] not in dict(given)] + list(given)
    payload = b"".join(struct.pack(">HI", SETTINGS_OF_A_CLIENT[name][0], value) for name, value in pairs)
    made = PREFACE + struct.pack(">I", len(payload))[1:] + b"\x04\0\0\0\0\0" + payload
    return made if window == 65_535 else made + b"\0\0\x04\x08\0\0\0\0\0" + struct.pack(">I", window - 65_535)


@pytest.mark.rfc("9113-3.4-a")
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_every_setting_is_sent_once_with_its_value(count: int) -> None:
    for names in itertools.permutations(SETTINGS_OF_A_CLIENT, count):
        for which in (1, 2):
            given = tuple((name, SETTINGS_OF_A_CLIENT[name][which]) for name in names)
            options = config(given)
            (octets,) = State.open(options).output
            assert octets == expected(given, 16_777_216), given
            assert options.settings == (
                *[pair for pair in USUAL.items() if pair[0] not in dict(given)],
                *given,
            )


@pytest.mark.rfc("9113-3.4-a")
@pytest.mark.parametrize("window", [65_535, 65_536, 16_777_215, 16_777_216, 16_777_217, MOST_WINDOW])
@pytest.mark.parametrize("given", [(), (("max_frame_size", 20_000),)])
def test_the_window_is_sent_exactly(window: int, given: tuple[tuple[str, int], ...]) -> None:
    (octets,) = State.open(config(given, connection_window_size=window)).output
    assert octets == expected(given, window)
    first, *update = frames_of(octets)
    assert (first.kind, first.flags, first.stream) == (SETTINGS, 0, 0)
    number = struct.pack(">I", window - 65_535)
    assert update == ([] if window == 65_535 else [Frame(WINDOW_UPDATE, 0, 0, number)])


def test_settings_that_are_the_defaults_make_an_equal_configuration() -> None:
    for count in range(4):
        for names in itertools.combinations(USUAL, count):
            given = tuple((name, USUAL[name]) for name in names)
            options = config(given)
            assert dict(options.settings) == USUAL
            in_order = [*[name for name in USUAL if name not in names], *names] == list(USUAL)
            assert (options == config()) == in_order
            assert not in_order or hash(options) == hash(config())
