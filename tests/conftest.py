"""Configuration of all tests: deterministic property tests, certificates for loopback servers."""

from __future__ import annotations

import gc
import signal
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme

# Assertions of helpers must also be checked under `python -O`.
HELPERS = {path.stem for path in Path(__file__).parent.iterdir()} - {"__init__", "__pycache__", "conftest"}
pytest.register_assert_rewrite(*(f"tests.{name}" for name in sorted(HELPERS)))
settings.register_profile(
    "mint",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mint")
# A shell that starts the tests in the background makes them ignore SIGINT, and Python then raises no
# KeyboardInterrupt.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Run without the garbage collector: objects are freed only by reference counts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return the certificate authority of this test run."""
    import trustme  # noqa: PLC0415  # not available for every Python with which the core is tested

    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    """Return a server certificate for loopback."""
    return authority.issue_cert("localhost", "127.0.0.1", "::1")


@pytest.fixture
def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context for localhost, 127.0.0.1 and ::1; tests may add ALPN protocols."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return a client's context that trusts `server_tls`."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
