"""What a new link is like, and which links the compiled fast path may use."""

from __future__ import annotations

import socket
import ssl

import pytest

import mint
from mint._wire.tls import TLSLayer
from mint.transport import Memory, SocketLink

# The compiled code does what these methods do, without calling them.
IN_THE_FAST_PATH = ("claim", "release", "permit", "unsent", "written", "send", "receive", "accept", "poison")


def overriding(base: type[Memory], *names: str) -> type[Memory]:
    """Return a subclass with its own version of these attributes."""
    return type("Overriding", (base,), {name: property(lambda _: None) for name in names})


def test_a_link_that_overrides_nothing_of_the_fast_path_may_use_it() -> None:
    assert Memory().plain
    assert overriding(Memory)().plain
    assert overriding(Memory, "look", "socket", "flush", "close")._plain
    assert overriding(overriding(Memory, "look"), "close")._plain


@pytest.mark.parametrize("name", IN_THE_FAST_PATH)
def test_a_link_that_overrides_a_method_of_the_fast_path_does_not_use_it(name: str) -> None:
    changed = overriding(Memory, name)
    assert not changed._plain
    assert not overriding(changed, "look")._plain, "the method is inherited"
    assert not overriding(overriding(Memory, "look"), name)._plain


def test_a_class_may_state_that_its_methods_differ_in_nothing_that_counts() -> None:
    class Stated(Memory):
        _plain = True

        def poison(self) -> None:
            super().poison()

    assert Stated().plain
    assert not overriding(Stated)._plain, "a subclass must state it again"


@pytest.mark.parametrize("secure", [None, True, False])
def test_tls_of_a_link_is_that_of_the_connection_unless_it_ends_at_a_proxy(secure: bool | None) -> None:
    layer = TLSLayer(ssl.create_default_context(), "a.example")
    near, far = socket.socketpair()
    with far:
        link = SocketLink(near, mint.TCPOptions(), (layer,))
        assert link.ssl_object is layer.ssl_object
        if secure is None:
            link.begin()
        else:
            link.begin(secure=secure)
        assert link.ssl_object is (None if secure is False else layer.ssl_object)
        link.close()


def test_a_new_link_belongs_to_the_first_value() -> None:
    link = Memory()
    assert (link.generation, link.inbox, link.note) == (0, None, None)
    conn = mint.http1.initiate(link, scheme="http", hostname="a")
    later, _ = conn.request("GET", "/")
    assert link.generation == 1
    with pytest.raises(mint.errors.StaleConnectionError):
        conn.request("GET", "/")
    later.close()
