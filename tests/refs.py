"""The refs of responses. Events of the connection have none; for these, `ref_of` fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mint

if TYPE_CHECKING:
    from mint._core.events import Event


def ref_of(event: Event | mint.Response) -> mint.RequestRef:
    assert not isinstance(event, mint.ConnectionEvent)
    return event.ref
