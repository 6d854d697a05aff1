import ssl

from typing_extensions import disjoint_base

@disjoint_base
class Records:
    """The records of one TLS connection, in both directions.

    `attach` sets the `ssl.SSLObject` and its two `ssl.MemoryBIO` objects.
    """
    def attach(self, tls: ssl.SSLObject, arriving: ssl.MemoryBIO, leaving: ssl.MemoryBIO) -> None:
        """Set the three objects of `ssl`, before any octets arrive."""
    @property
    def ssl_object(self) -> ssl.SSLObject: ...
    watched: bool
    @property
    def over(self) -> bool: ...
    def feed(self, ciphertext: bytes) -> None:
        """Take octets from the peer; `b""` means that the peer has ended."""
    def decrypt(self) -> None:
        """Decrypt every complete record; `take_plaintext` returns the plaintext. Raises errors of `ssl`."""
    def take_plaintext(self) -> list[bytes]:
        """Return the pieces of plaintext that were decrypted and not returned yet."""
    def opened(self, ciphertext: bytes) -> bytes | None:
        """Take octets that the peer sent, and return their plaintext.

        `None` if that is not all there is to do: something must be sent, or the peer has ended, or `watched`
        is set; `take_plaintext` returns the plaintext then. Raises errors of `ssl`; plaintext before them is
        kept.
        """
    def encrypt(self, plaintext: bytes) -> bytes:
        """Encrypt, and return what must be sent to the peer now. Raises errors of `ssl`."""
    def leaving(self) -> bytes:
        """Return what must be written to the peer now."""
