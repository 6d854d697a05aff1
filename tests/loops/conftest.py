"""Fixtures of the tests of mailboxes: a mailbox, and a link whose state the test describes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mint._loops.mailbox import Mailbox

from .described import Described

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as made:
        yield made


@pytest.fixture
def link() -> Iterator[Described]:
    near, far = socket.socketpair()
    with far, near:
        yield Described(near)
