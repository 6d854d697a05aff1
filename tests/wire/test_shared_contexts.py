"""Connections that share one `ssl.SSLContext` each offer their own protocols."""

from __future__ import annotations

import os
import ssl
from typing import Any, ClassVar  # typeshed gives the argument this type

from mint._wire.contexts import wrapping
from mint._wire.tls import TLSLayer
from tests.tls import authority


def test_connections_that_share_a_context_offer_their_own_protocols() -> None:
    """A context keeps only the protocols that were set last, but another connection may be made meanwhile."""
    mine = ssl.create_default_context(cadata=authority().cert_pem.bytes().decode())
    orders = [("http/1.1",), ("h2",), ("h2", "http/1.1"), ("http/1.1",)]
    layers = [TLSLayer(mine, "localhost", alpn=each) for each in orders]
    for offer, layer in zip(orders, layers, strict=True):
        layer.handshake()
        hello = layer.leaving()
        assert {each for each in ("h2", "http/1.1") if bytes([len(each)]) + each.encode() in hello} == set(
            offer
        )


def test_a_signal_handler_may_connect_with_the_same_context() -> None:
    class Interrupted(ssl.SSLContext):
        inner: ClassVar[list[TLSLayer]] = []

        def set_alpn_protocols(self, alpn_protocols: Any) -> None:
            super().set_alpn_protocols(alpn_protocols)
            if not self.inner:
                self.inner.append(None)  # type: ignore[arg-type]  # once
                self.inner[0] = TLSLayer(self, "localhost", alpn=("h2",))

    context = Interrupted(ssl.PROTOCOL_TLS_CLIENT)
    outer = TLSLayer(context, "localhost", alpn=("http/1.1",))
    for layer, offered in ((outer, b"\x08http/1.1"), (context.inner[0], b"\x02h2")):
        layer.handshake()
        assert offered in layer.leaving()


def test_a_forked_process_can_connect() -> None:
    with wrapping.lock:
        child = os.fork()
        if child == 0:  # pragma: no cover  # another process
            code = 1
            try:
                TLSLayer(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "localhost", alpn=("h2",))
                code = 0
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
