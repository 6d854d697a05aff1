"""A `MemoryError` at any allocation inside an operation: no crash, no held lock, no byte sent twice."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("_testcapi")

PROGRAM = r'''
import socket, sys
import _testcapi
import mint
from mint import TCPOptions
from mint.transport import SocketLink

mode = sys.argv[1]
PAGE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
SENT = None


def exchange(mailbox, number):
    """Fail the number-th allocation of one exchange; return whether it failed at all."""
    global SENT
    near, far = socket.socketpair()
    far.setblocking(False)
    link = SocketLink(near, TCPOptions())
    conn = mint.http1.initiate(link, scheme="http", hostname="example.org", mailbox=mailbox)
    failed = False

    def tried(work):
        nonlocal failed
        if number:
            _testcapi.set_nomemory(tried.left, tried.left + 1)
        try:
            return work()
        except (MemoryError, SystemError) as error:  # the latter from CPython, which had none for the former
            failed = True
            raise MemoryError from error
        finally:
            if number:
                _testcapi.remove_mem_hooks()

    tried.left = number
    got = []
    try:
        conn, _ = tried(lambda: conn.request("GET", "/", [("a", "b" * 300)]))
        sent = far.recv(10_000)
        far.sendall(PAGE)
        while conn.open_request_count:
            if mailbox is None:
                conn, new = tried(lambda: conn.recv(timeout=5))
            else:
                message = tried(lambda: mailbox.receive(timeout=5))
                conn, new = tried(lambda: conn.stream(message))
            got += new
    except MemoryError:
        try:
            sent = far.recv(10_000)
        except BlockingIOError:
            sent = b""
    except mint.MintError:
        failed = True
    assert not link._guard.held and not link._wire.held, number
    for _ in range(3):  # whatever is done next, nothing goes out a second time
        try:
            conn, _ = conn.request("GET", "/", [("a", "b" * 300)])
            break
        except mint.MintError as error:
            if error.successor is not None:
                conn = conn.after(error)
    try:
        again = far.recv(100_000)
    except BlockingIOError:
        again = b""
    if SENT is None:
        SENT = sent
    assert sent in (b"", SENT), (number, sent)
    assert again in (b"", SENT), (number, again)
    if mailbox is not None:
        assert not mailbox._turn.held
        mailbox.post("x")
        for _ in range(10):
            if mailbox.receive(timeout=5) == "x":
                break
        else:
            raise AssertionError("the mailbox is stuck")
    conn.close()
    far.close()
    return failed


mailbox = mint.Mailbox() if mode == "mailbox" else None
exchange(mailbox, 0)
number = quiet = 0
while quiet < 5:
    number += 1
    quiet = 0 if exchange(mailbox, number) else quiet + 1
print("allocations", number)
'''


@pytest.mark.parametrize("mode", ["recv", "mailbox"])
def test_no_memory(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 20
