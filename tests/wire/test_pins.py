"""Fingerprints of certificates and keys, compared with `cryptography`, and of invalid certificates."""

from __future__ import annotations

import hashlib
import ssl

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from mint._wire.pins import _element, fingerprints_of, is_pinned, public_key

KINDS = {"RSA": trustme.KeyType.RSA, "ECDSA": trustme.KeyType.ECDSA}


def certificate(kind: str) -> bytes:
    authority = trustme.CA(key_type=KINDS[kind])
    made = authority.issue_cert("a.test", key_type=KINDS[kind]).cert_chain_pems[0].bytes()
    return ssl.PEM_cert_to_DER_cert(made.decode())


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_agrees_with_another_library(kind: str) -> None:
    der = certificate(kind)
    key = load_der_x509_certificate(der).public_key()
    expected = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key(der) == expected
    found = fingerprints_of(der)
    assert found == (hashlib.sha256(der).hexdigest(), hashlib.sha256(expected).hexdigest())
    assert all(is_pinned(der, frozenset({each, "0" * 64})) for each in found)
    assert not is_pinned(der, frozenset({"0" * 64}))
    assert not is_pinned(None, frozenset(found))


DER = certificate("ECDSA")


@pytest.mark.parametrize("size", range(60))
def test_a_truncated_certificate_has_no_key(size: int) -> None:
    with pytest.raises(ValueError, match="truncated"):
        public_key(DER[:size])
    assert fingerprints_of(DER[:size]) == (hashlib.sha256(DER[:size]).hexdigest(),)


@given(
    st.binary(max_size=60) | st.integers(0, len(DER) - 1).map(lambda at: DER[:at] + b"\xff" + DER[at + 1 :])
)
def test_arbitrary_octets_raise_no_error(octets: bytes) -> None:
    try:
        found = public_key(octets)
    except ValueError:
        return
    assert found in octets


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
@pytest.mark.parametrize("rest", [0, 1])
def test_the_length_of_an_element_in_every_form(size: int, rest: int) -> None:
    octets = size.to_bytes(max(1, (size.bit_length() + 7) // 8))
    head = b"\x04" + (octets if size < 128 else bytes([128 + len(octets)]) + octets)
    whole = head + bytes(size)
    assert _element(b"before" + whole + bytes(rest), 6) == (4, 6 + len(head), 6 + len(whole))
    for cut in {1, len(head) - 1, len(head), len(whole) - 1} - {len(whole)}:
        with pytest.raises(ValueError, match="truncated"):
            _element(whole[:cut], 0)
