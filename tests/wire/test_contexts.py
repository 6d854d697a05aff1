"""TLS contexts are cached for equal options and unchanged files, but not those of the caller."""

from __future__ import annotations

import os
import ssl
import threading
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from mint import TLSOptions, TLSSessions
from mint._extras import with_certifi
from mint._wire import contexts
from mint._wire.tls import make_context, prepare

from ..tls import authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    contexts.forget()
    yield
    contexts.forget()


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(file))
    return str(file)


class Maker:
    """Counts the contexts that are made."""

    def __init__(self) -> None:
        self.made: list[ssl.SSLContext] = []

    def __call__(self, options: TLSOptions, alpn: Sequence[str]) -> ssl.SSLContext:
        self.made.append(make_context(options, alpn))
        return self.made[-1]


def test_equal_options_share_a_context(ca_file: str) -> None:
    make = Maker()
    first = contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), make)
    assert contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), make) is first
    assert contexts.shared(TLSOptions(ca_file=ca_file, sessions=TLSSessions()), ("h2",), make) is first
    assert contexts.shared(TLSOptions(ca_file=ca_file, server_hostname="x"), ("h2",), make) is first
    pinned = TLSOptions(ca_file=ca_file, fingerprints=frozenset({"0" * 64}))
    assert contexts.shared(pinned, ("h2",), make) is first
    assert len(make.made) == 1
    # It matters whether OpenSSL checks the name, but not which function does so instead.
    hooks = [TLSOptions(ca_file=ca_file, check_hostname=lambda _host, _names: True) for _ in range(2)]
    assert len({id(contexts.shared(each, ("h2",), make)) for each in hooks} | {id(first)}) == 2


def changed(ca_file: str) -> dict[str, TLSOptions]:
    base = TLSOptions(ca_file=ca_file)
    key = ca_file + ".key"
    issued = authority().issue_cert("client")
    issued.private_key_and_cert_chain_pem.write_to_path(key)
    pem = issued.private_key_and_cert_chain_pem.bytes().decode()
    return {
        "verify": replace(base, verify=False),
        "trust": TLSOptions(trust="certifi"),
        "ca_file": TLSOptions(),
        "ca_data": TLSOptions(ca_data=authority().cert_pem.bytes().decode()),
        "cert_file": replace(base, cert_file=key),
        "key_file": replace(base, cert_file=key, key_file=key),
        "key_password": replace(base, cert_file=key, key_password="x"),
        "cert_data": replace(base, cert_data=pem),
        "key_data": replace(base, cert_data=pem, key_data=pem.encode()),
        "check_hostname": replace(base, check_hostname=lambda _host, _names: True),
        "post_handshake_auth": replace(base, post_handshake_auth=True),
        "minimum_version": replace(base, minimum_version=ssl.TLSVersion.TLSv1_3),
        "maximum_version": replace(base, maximum_version=ssl.TLSVersion.TLSv1_2),
        "ciphers": replace(base, ciphers="ECDHE+AESGCM"),
        "partial_chain": replace(base, partial_chain=True),
    }


def test_every_option_of_a_context_makes_another(ca_file: str) -> None:
    others = changed(ca_file)
    make = Maker()
    found = {id(contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), make))}
    found |= {id(contexts.shared(options, ("h2",), make)) for options in others.values()}
    assert len(found) == len(others) + 1
    # A new option must be here, or in the list of options that belong to a connection.
    known = {*others, "sessions", "server_hostname", "context", "key_log_file", "fingerprints"}
    assert {field.name for field in fields(TLSOptions)} - known == set()


def test_other_protocols_make_another_context(ca_file: str) -> None:
    make = Maker()
    options = TLSOptions(ca_file=ca_file)
    assert contexts.shared(options, ("h2",), make) is not contexts.shared(options, ("http/1.1",), make)


def test_a_file_that_changed_is_loaded_again(ca_file: str) -> None:
    make = Maker()
    options = TLSOptions(ca_file=ca_file)
    first = contexts.shared(options, ("h2",), make)
    os.utime(ca_file, ns=(1, 1))
    second = contexts.shared(options, ("h2",), make)
    assert second is not first
    os.rename(ca_file, ca_file + ".gone")  # noqa: PTH104  # the names are strings
    os.link(ca_file + ".gone", ca_file)  # both names refer to the same file
    assert contexts.shared(options, ("h2",), make) is second


def test_the_system_store_that_changed_is_loaded_again(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    first = contexts.shared(TLSOptions(), ("h2",), make)
    assert contexts.shared(TLSOptions(), ("h2",), make) is first
    os.utime(ca_file, ns=(1, 1))
    assert contexts.shared(TLSOptions(), ("h2",), make) is not first


@pytest.mark.parametrize("store", ["a file", "none"])
def test_the_certificates_that_replace_a_missing_store_are_loaded_again(
    store: str, ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a file of the system, those of certifi are not used, so a change of them makes no difference."""
    bundle = tmp_path / "bundle.pem"
    authority().cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(with_certifi, "bundle", lambda: str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", ca_file if store == "a file" else str(tmp_path / "missing"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing too"))
    make = Maker()
    first = contexts.shared(TLSOptions(), ("h2",), make)
    assert contexts.shared(TLSOptions(), ("h2",), make) is first
    os.utime(bundle, ns=(1, 1))
    assert (contexts.shared(TLSOptions(), ("h2",), make) is first) is (store == "a file")


def test_a_context_of_the_caller_is_not_cached() -> None:
    own = ssl.create_default_context()
    for _ in range(2):
        assert (
            contexts.shared(TLSOptions(context=own), ("h2",), lambda options, _: options.context or own)
            is own
        )
    assert contexts.shared(TLSOptions(verify=False), ("h2",), Maker()) is not own


def test_a_context_with_a_key_log_is_not_cached(tmp_path: Path) -> None:
    make = Maker()
    options = TLSOptions(verify=False, key_log_file=str(tmp_path / "keys"))
    assert contexts.shared(options, ("h2",), make) is not contexts.shared(options, ("h2",), make)


def test_a_failure_is_not_cached(ca_file: str) -> None:
    def fail(_options: TLSOptions, _alpn: Sequence[str]) -> ssl.SSLContext:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), fail)
    make = Maker()
    contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), make)
    assert len(make.made) == 1


def test_the_cache_is_bounded_and_drops_the_least_recently_used(ca_file: str) -> None:
    make = Maker()

    def ask(number: int) -> ssl.SSLContext:
        return contexts.shared(TLSOptions(ca_file=ca_file), (f"proto{number}",), make)

    first = ask(0)
    for number in range(1, contexts.MOST):
        ask(number)
    assert ask(0) is first  # and now it is the most recently used one
    ask(contexts.MOST)
    assert ask(0) is first
    before = len(make.made)
    ask(1)
    assert len(make.made) == before + 1


def test_concurrent_threads_get_one_context(ca_file: str) -> None:
    gate = threading.Barrier(8)
    found: list[ssl.SSLContext] = []

    def ask() -> None:
        gate.wait()
        found.append(contexts.shared(TLSOptions(ca_file=ca_file), ("h2",), make_context))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in found}) == 1


def test_connections_use_the_cache(ca_file: str) -> None:
    options = TLSOptions(ca_file=ca_file)
    one = prepare(options, ("h2",), "one.example", "direct")
    two = prepare(options, ("h2",), "two.example", "direct")
    assert one.context is two.context
    assert one.server_hostname != two.server_hostname
