import ssl

from typing_extensions import disjoint_base

@disjoint_base
class Records:
    """Ciphertext in, plaintext out, and back.

    `attach` is given the `ssl.SSLObject` and its two `ssl.MemoryBIO` objects.
    """
    def attach(self, tls: ssl.SSLObject, arriving: ssl.MemoryBIO, leaving: ssl.MemoryBIO) -> None:
        """Take the three objects of `ssl`, before any octet has come."""
    @property
    def ssl_object(self) -> ssl.SSLObject: ...
    watched: bool
    def feed(self, ciphertext: bytes) -> None:
        """Take what came from the peer; `b""` says that the peer ended."""
    def decrypt(self) -> tuple[list[bytes], OSError | bytes | None]:
        """Decrypt all that has come: the pieces of plaintext, and the error of `ssl` that ended them.

        `b""` instead of an error says that the peer has ended. A record that is not complete is no error.
        """
    def opened(self, ciphertext: bytes) -> bytes | None:
        """Take what came from the peer, which is not its end, and return the plaintext of it.

        `None` where more than plaintext has come of it, or must leave: `decrypt` returns it then.
        """
    def write(self, plaintext: bytes | memoryview[int]) -> None:
        """Encrypt; the result waits in `leaving`. Raises what `_refusal` makes of an error."""
    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt, and return what must be written to the peer now. Raises like `write`."""
    def leaving(self) -> bytes:
        """Return what must be written to the peer now."""
    def _stops(self, error: OSError) -> OSError | None:
        """Return the error if nothing more can be read; `None` where only the rest of a record is missing."""
    def _refusal(self, error: OSError) -> Exception:
        """Return what to raise for an error of encrypting."""
