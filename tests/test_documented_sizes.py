"""The sizes and counts that the documentation, docstrings and comments state as numbers."""

from __future__ import annotations

import inspect

import mint
from mint import content
from mint._connections.tunnels_base import MOST_HELD
from mint._core import watching
from mint._loops import asyncio, sockets, system
from mint._wire import contexts, link, pipe, stream
from mint.exchange import _answer, _procedure

KIB, MIB = 1024, 1_048_576


def test_what_passes_through_a_link() -> None:
    assert pipe.AHEAD == link.PATIENCE == 64 * KIB
    assert pipe.MAX_READ_AHEAD == mint.TCPOptions().max_read_ahead == 4 * MIB
    assert sockets.PIECES == 64
    assert sockets.LARGE_READ < 128 * KIB
    assert system.JOINED == 64 * KIB


def test_what_is_kept() -> None:
    assert stream.MAX_BODY == 64 * KIB
    assert MOST_HELD == MIB
    assert contexts.MOST == 32


def test_messages_in_a_row() -> None:
    assert (watching.STREAK, asyncio._STREAK) == (64, 16)


def test_options_of_a_socket() -> None:
    tcp = mint.TCPOptions()
    assert (tcp.high_water, tcp.receive_size) == (MIB, 64 * KIB)


def test_limits_of_content() -> None:
    for function in (content.Decoder, content.decode):
        given = {name: each.default for name, each in inspect.signature(function).parameters.items()}
        limits = {name: given[name] for name in ("max_size", "max_ratio", "max_codings")}
        assert limits == {"max_size": 100 * MIB, "max_ratio": 200, "max_codings": 5}


def test_exchanges() -> None:
    assert _answer.MAX_SIZE == 100 * MIB
    assert (_procedure.PIECE, _procedure.QUEUE, _procedure.SMALL) == (64 * KIB, 256 * KIB, 16 * KIB)
