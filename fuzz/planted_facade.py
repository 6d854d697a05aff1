"""Bugs of connection values, for `planted.py`."""

from planted_bug import Bug

BASE = "mint/_connections/base.py"

FACADE: tuple[Bug, ...] = (
    Bug(
        "responses reported twice after a failed write",
        BASE,
        "                reported = error.responses[len(responses) :]\n                error.marked",
        "                reported = error.responses\n                error.marked",
        "facade",
    ),
    Bug(
        "end of our direction not sent",
        BASE,
        "            if step.end == SHUT_WRITE:\n                link.shut_write()\n",
        "            if step.end == SHUT_WRITE:\n                pass\n",
        "facade",
    ),
    Bug(
        "private store not compared",
        BASE,
        " and self._private == other._private",
        "",
        "facade",
    ),
    Bug(
        "private store written in place",
        BASE,
        '        return self._slots().replace(self, "_private", {**self._private, key: value})',
        "        self._private[key] = value\n"
        '        return self._slots().replace(self, "_private", self._private)',
        "facade",
    ),
    Bug(
        "lost connection without failures",
        BASE,
        "        reported += self._responses(step.responses)\n        generation",
        "        generation",
        "facade",
    ),
    Bug(
        "timeout changes the value",
        BASE,
        "            self._recoverable(self._state, error, before, link.release(moved=False))",
        "            self._recoverable(self._state.close().state, error, before, link.release(moved=False))",
        "facade",
    ),
    Bug(
        "failed write hides the fault",
        BASE,
        "from_fault(step.fault).marked(responses=whole, successor=lost.successor) from lost",
        "",
        "facade",
    ),
    Bug(
        "closed without GOAWAY",
        BASE,
        "            if step.output:\n                link.send(step.output, flush=False)\n        except",
        "            pass\n        except",
        "facade",
    ),
    Bug(
        "refused call keeps the link",
        BASE,
        "            if step.fault is not None:\n"
        "                link.release(moved=False)\n"
        "                raise self._refuse",
        "            if step.fault is not None:\n                raise self._refuse",
        "facade",
    ),
    Bug(
        "fork shares the link",
        BASE,
        '            self._slots().replace(self, "_link", Memory(reads=True)), "_generation", 0\n',
        '            self, "_generation", self._generation\n',
        "facade",
    ),
    Bug(
        "cut taken for a clean end",
        BASE,
        "step = state.feed_eof(link.clean_end)",
        "step = state.feed_eof(True)",
        "facade",
    ),
)
