"""llhttp without Python: a limit for parsers that work octet by octet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import native

if TYPE_CHECKING:
    from ..measure import Task
    from ..work import Responses


def llhttp(work: Responses) -> Task:
    folder = native.llhttp()
    program = native.build(
        "llhttp", f"-I{folder / 'include'}", *(str(path) for path in folder.glob("src/*.c"))
    )
    said = []
    for batch in work.batches:
        for message in batch.messages:
            said += [f"{name}:{value}\n".encode("latin-1") for name, value in message.fields]
            said.append(message.body + b"\n%d\n" % message.status)
    reads = native.pieces(octets for batch in work.batches for octets in batch.reads)
    return native.Program(program, (), reads, b"".join(said))
