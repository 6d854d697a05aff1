"""What -L asks for next: the rules of RFC 9110 15.4, and those about credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .locations import resolve
from .usage import BadURLError, TooManyRedirects

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .bodies import Upload
    from .locations import Location

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRETS = frozenset({"authorization", "cookie", "cookie2", "proxy-authorization", "host"})
"""What is meant for one origin only. RFC 9110 15.4 names the credentials; the host is another one."""
_ABOUT_CONTENT = frozenset(
    {"content-type", "content-length", "content-encoding", "content-language", "content-location", "trailer"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    location: Location
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | Upload | None
    redirects: int = 0
    """How many redirects led here."""

    def without(self, names: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Return the headers but those with these names."""
        return tuple((name, value) for name, value in self.headers if name.lower() not in names)


def target_of(status: int, locations: Sequence[str]) -> str | None:
    """Return where a response redirects to, if it does."""
    if status not in _REDIRECTS or not locations:
        return None
    if len(set(locations)) > 1:
        raise BadURLError("the redirect has several locations that differ")
    return locations[0]


def follow(asked: Asked, status: int, reference: str, schemes: Collection[str] | None, most: int) -> Asked:
    """Return the request that a redirect leads to.

    Raises `TooManyRedirects`, `SchemeRefused` and `BadURLError`. Without `schemes`, https stays https.
    """
    allowed = schemes if schemes is not None else {"https", asked.location.scheme}
    location = resolve(asked.location, reference, allowed)
    if asked.redirects >= most:
        raise TooManyRedirects(f"there are more than {most} redirects (--max-redirs)")
    method, headers, body = asked.method, asked.headers, asked.body
    # A POST becomes a GET as browsers have always done it; 307 and 308 were made for those who mind.
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        if method != "GET" or body is not None:
            headers, body = asked.without(_ABOUT_CONTENT), None
        method = "GET"
    made = Asked(location, method, headers, body, asked.redirects + 1)
    if location.origin == asked.location.origin:
        return made
    # What is left out here stays left out, even if the next redirect leads back.
    return Asked(location, method, made.without(_SECRETS), body, made.redirects)
