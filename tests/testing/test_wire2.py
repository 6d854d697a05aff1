"""The state that the threads of one HTTP/2 connection of the test server share."""

import socket

import pytest

from mint.testing import http2
from mint.testing.http2 import ErrorCode
from mint.testing.messages import Lost
from mint.testing.origin2 import OURS
from mint.testing.peer import Peer
from mint.testing.wire2 import Wire


def test_nothing_follows_the_goaway_that_ends_a_connection() -> None:
    near, far = socket.socketpair()
    with near, far:
        wire = Wire(Peer(near, 1), OURS, 10)
        wire.start()
        stream = wire.streams[1] = wire.new_stream(1)
        last = http2.goaway(1, ErrorCode.PROTOCOL_ERROR, b"broken")
        wire.end(last)
        # Handlers in other threads do not know yet that the connection has ended.
        with pytest.raises(Lost):
            wire.send_block(stream, ((":status", "200"),), end=True)
        with pytest.raises(Lost):
            wire.send_data(stream, b"late")
        wire.reset(1, ErrorCode.CANCEL)
        wire.give_back(stream, 1 << 20)
        wire.forget(stream)
        wire.finish()
        near.shutdown(socket.SHUT_WR)
        with far.makefile("rb") as reader:
            assert reader.read() == last.serialize()
