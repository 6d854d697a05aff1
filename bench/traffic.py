"""Seeded traffic: header fields as servers and browsers send them, about 30 % of them new each time."""

from __future__ import annotations

import random
import string
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Field = tuple[str, str]

SEED = 9112
HEX = "0123456789abcdef"
LETTERS = f"{string.ascii_letters}{string.digits}-_"

# Fields that a server repeats; the seed decides their order in a message, once.
USUAL: tuple[Field, ...] = (
    ("server", "nginx"),
    ("content-type", "application/json; charset=utf-8"),
    ("cache-control", "private, max-age=0, must-revalidate"),
    ("vary", "Accept-Encoding, Origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("access-control-allow-origin", "https://www.example.org"),
    ("access-control-allow-credentials", "true"),
    ("access-control-expose-headers", "etag, link, location, retry-after, x-request-id"),
    (
        "content-security-policy",
        (
            "default-src 'none'; base-uri 'self'; connect-src 'self' https://api.example.org "
            "https://uploads.example.org wss://live.example.org; font-src static.example.org; "
            "form-action 'self'; frame-ancestors 'none'; img-src 'self' data: static.example.org "
            "media.example.org avatars.example.org; script-src static.example.org; style-src "
            "'unsafe-inline' static.example.org; manifest-src 'self'; worker-src 'self'; "
            "object-src 'none'; media-src media.example.org; upgrade-insecure-requests; "
            "report-uri https://reports.example.org/csp/collect?project=frontpage&channel=stable"
        ),
    ),
    (
        "permissions-policy",
        (
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), "
            "microphone=(), payment=(), usb=(), interest-cohort=(), fullscreen=(self), "
            'autoplay=(self "https://media.example.org")'
        ),
    ),
    (
        "content-security-policy-report-only",
        (
            "default-src 'self'; connect-src 'self' api.example.org live.example.org "
            "telemetry.example.org experiments.example.org; script-src 'self' 'strict-dynamic' "
            "'report-sample' static.example.org challenges.example.org maps.example.org; style-src "
            "'self' 'report-sample' static.example.org fonts.example.org; img-src 'self' data: blob: "
            "static.example.org media.example.org avatars.example.org tiles.example.org; frame-src "
            "'self' challenges.example.org player.example.org payments.example.org; font-src 'self' "
            "data: static.example.org fonts.example.org; media-src 'self' blob: media.example.org; "
            "child-src 'self' blob:; form-action 'self' accounts.example.org payments.example.org; "
            "base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types "
            "default; report-uri https://reports.example.org/csp/collect?project=frontpage&next=1"
        ),
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-site"),
    ("alt-svc", 'h3=":443"; ma=86400'),
    (
        "report-to",
        (
            '{"group":"default","max_age":10886400,"endpoints":[{"url":"https://reports.example.org/'
            'collect"}],"include_subdomains":true}'
        ),
    ),
    ("nel", '{"report_to":"default","max_age":2592000,"include_subdomains":true}'),
    ("accept-ranges", "bytes"),
    ("age", "0"),
)

ASKED: tuple[Field, ...] = (
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.7"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("origin", "https://www.example.org"),
    ("sec-fetch-site", "same-site"),
    ("sec-fetch-mode", "cors"),
)


class Traffic:
    """A source of messages: its fresh values never repeat, and a seed always gives the same sequence."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        self._clock: Iterator[int] = count(1_700_000_000)

    def octets(self, size: int) -> bytes:
        """Return arbitrary content."""
        return self._random.randbytes(size)

    def word(self, length: int) -> str:
        """Return a new token."""
        return "".join(self._random.choices(HEX, k=length))

    def opaque(self, length: int) -> str:
        """Return a value that looks like a token or a signature, in base64url characters."""
        return "".join(self._random.choices(LETTERS, k=length))

    def _date(self) -> str:
        second = next(self._clock)
        clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        return f"Tue, 14 Nov 2023 {clock} GMT"

    def fresh(self, number: int) -> list[Field]:
        """Return so many fields (at most nine) with new values."""
        word = self.word
        return [
            ("x-request-id", f"{word(8)}-{word(4)}-{word(4)}-{word(12)}"),
            ("etag", f'W/"{word(32)}"'),
            ("date", self._date()),
            ("x-runtime", f"0.{self._random.randrange(10**6):06}"),
            ("set-cookie", f"_session={word(48)}; path=/; secure; HttpOnly; SameSite=Lax"),
            ("last-modified", self._date()),
            ("server-timing", f"db;dur={self._random.random() * 90:.3f}, app;dur=12.5"),
            ("link", f'<https://api.example.org/items?after={word(12)}>; rel="next"'),
            ("x-trace", word(32)),
        ][:number]

    def response(self, fields: int, length: int | None) -> list[Field]:
        """Return the fields of one response: 30 % are new; the others, such as content-length, are usual."""
        new = round(fields * 0.3)
        chosen = self.fresh(new)
        if length is not None:
            chosen.append(("content-length", str(length)))
        chosen += USUAL[: fields - len(chosen)]
        return chosen

    def request(self) -> list[Field]:
        """Return the ten fields of one request, three of which are new (referer, cookie, a trace id)."""
        word = self.word
        return [
            *ASKED,
            ("referer", f"https://www.example.org/items/{word(8)}"),
            ("x-csrf-token", word(24)),
            ("x-trace", word(32)),
        ]

    def target(self) -> str:
        """Return a new target."""
        return f"/api/v1/items/{self.word(8)}"
