"""Bugs of the pipe, the link, tunnels and TLS records, for `planted.py`."""

from planted_bug import Bug, core

WIRE: tuple[Bug, ...] = (
    Bug(
        "no limit of what is read ahead",
        "mint/_wire/pipe.py",
        "            if self._held < self.max_read_ahead:\n",
        "            if self._held >= 0:\n",
        "pipe",
    ),
    Bug(
        "unsent octets counted wrongly",
        "mint/_wire/pipe.py",
        "        outbox = self._outbox\n        self._queued -= count\n",
        "        outbox = self._outbox\n        self._queued -= len(outbox[0]) if outbox and count else 0\n",
        "pipe",
    ),
    Bug(
        "what was received counts as read ahead",
        "mint/_wire/pipe.py",
        "            octets = self._arrived.popleft()\n            self._held -= len(octets)",
        "            octets = self._arrived.popleft()\n            self._held -= len(octets) > 0",
        "pipe",
    ),
    Bug(
        "request sent after what cannot be its response",
        "mint/_wire/pipe.py",
        "            self.lone: bool = self._is_preceded()",
        "            self.lone: bool = False",
        "pipe",
    ),
    Bug(
        "octets of the handshake lost",
        "mint/_wire/pipe.py",
        '        if octets:\n            self.arrive(octets)\n        octets = b""\n',
        '        octets = b""\n',
        "pipe",
    ),
    Bug(
        "rest of a large piece sent last",
        "mint/_wire/pipe.py",
        "            pending.appendleft(view[AHEAD:])",
        "            pending.append(view[AHEAD:])",
        "pipe",
    ),
    Bug(
        "failure replaces an earlier end",
        "mint/_wire/pipe.py",
        "        if self._reading == Reading.OPEN:\n"
        "            self._failure = error\n"
        '            self._read_event("fail")',
        "        if self._reading <= Reading.CUT:\n"
        "            self._failure = error\n"
        "            self._reading = Reading.FAILED",
        "link",
    ),
    Bug(
        "end without close_notify taken for a proper one",
        "mint/_wire/pipe.py",
        '            self._read_event("end" if self._layers[-1].clean_end else "cut")\n        elif last:',
        '            self._read_event("end")\n        elif last:',
        "link",
    ),
    Bug(
        "early response lost to a broken wire",
        "mint/_wire/link.py",
        "        self._gather(error)\n        if self._arrived",
        "        self.fail(error)\n        if self._arrived",
        "link",
    ),
    Bug(
        "failure of reading replaced by that of writing",
        "mint/_wire/link.py",
        "        if self._reading == Reading.FAILED:\n"
        "            return True  # reading failed earlier, and will report that\n",
        "",
        "link",
    ),
    Bug(
        "error raised twice",
        "mint/_wire/link.py",
        '            self._failure = None\n            self._read_event("report")\n        return False\n',
        "            pass\n        return False\n",
        "link",
    ),
    Bug(
        "what is queued dropped at the close",
        "mint/_wire/link.py",
        "            if self.unsent:\n                self._push()\n            if self._layers and not",
        "            if self._layers and not",
        "link",
    ),
    Bug(
        "end behind a reset trusted",
        "mint/_wire/link.py",
        "            if octets is None or (not octets and not self._is_end_certain(error)):",
        "            if octets is None:",
        "link",
    ),
    Bug(
        "no close_notify at the close",
        "mint/_wire/link.py",
        "                for layer in self._layers[::-1]:\n"
        "                    layer.close_notify()\n"
        "                    self._carry_out()\n",
        "                pass\n",
        "link",
    ),
    Bug(
        "octets before an error of a tunnel lost",
        "mint/_wire/stream.py",
        "        if not self._arrived and self.failure is not None and not self.ended:\n",
        "        if self.failure is not None and not self.ended:\n",
        "tunnel",
    ),
    Bug(
        "octet beyond the window of a tunnel lost",
        "mint/_wire/stream.py",
        "piece = bytes(memoryview(self._pending)[:room])",
        "piece = bytes(memoryview(self._pending)[: room + 1])",
        "tunnel",
    ),
    Bug(
        "octets of a tunnel wait although its window has opened",
        "mint/_wire/stream.py",
        "            self.break_off(reset=False, cause=from_fault(step.fault))\n        self.pump()\n",
        "            self.break_off(reset=False, cause=from_fault(step.fault))\n",
        "tunnel",
    ),
    Bug(
        "last octet of a window of a tunnel never used",
        "mint/_wire/stream.py",
        "            elif room <= 0:\n",
        "            elif room <= 1:\n",
        "tunnel",
    ),
    Bug(
        "longest TLS record taken for an error",
        core("records.pyx"),
        "self._missing > RECORD + EXPANSION):",
        "self._missing > RECORD):",
        "records",
    ),
    Bug(
        "part of a TLS record forgotten at a split",
        core("records.pyx"),
        "self._begun = self._begun + taken if self._missing else 0",
        "self._begun = taken if self._missing else 0",
        "records",
    ),
    Bug(
        "last octet of a TLS record not noticed",
        core("records.pyx"),
        "        return pending > self._begun\n",
        "        return pending > self._begun + 1\n",
        "records",
    ),
    Bug(
        "credit not read after a cut",
        "mint/_wire/pipe.py",
        "            self.windowed\n            and self._reading in {Reading.ENDED, Reading.CUT}\n",
        "            self.windowed\n            and self._reading == Reading.ENDED\n",
        "pipe",
    ),
    Bug(
        "end during the handshake taken for a proper one",
        "mint/_wire/pipe.py",
        "            if self._layers[-1].ended:\n"
        '                self._read_event("end" if self._layers[-1].clean_end else "cut")',
        '            if self._layers[-1].ended:\n                self._read_event("end")',
        "pipe",
    ),
    Bug(
        "waiting octets not counted",
        "mint/_wire/pipe.py",
        "        return self._queued + sum(layer.waiting for layer in self._layers)",
        "        return self._queued",
        "pipe",
    ),
    Bug(
        "octets lost after the end of a tunnel not reported",
        "mint/_wire/stream.py",
        "                if self._pending and self.ended and self.failure is None:\n"
        "                    self.failure = TransportReset()  # after the peer's end, "
        "only the lost octets show it\n",
        "",
        "tunnel",
    ),
    Bug(
        "error of writing the rest at the close lost",
        "mint/_wire/link.py",
        "                if owed:\n                    raise\n",
        "",
        "link",
    ),
    Bug(
        "wire not given up after its end",
        "mint/_wire/pipe.py",
        "        hears = self._reading in {Reading.ENDED, Reading.CUT} and not self._wire_ended\n",
        "        hears = self._reading in {Reading.ENDED, Reading.CUT}\n",
        "pipe",
    ),
    Bug(
        "wire read although nothing can arrive",
        "mint/_wire/pipe.py",
        "            and not self._wire_ended\n            and self._writing < Writing.FAILED\n",
        "            and self._writing < Writing.FAILED\n",
        "pipe",
    ),
    Bug(
        "close_notify beyond the tunnel",
        "mint/_wire/pipe.py",
        "                if layer.keeps_wire:\n                    break\n",
        "                if layer.keeps_wire:\n                    continue\n",
        "pipe",
    ),
    Bug(
        "pipe passes more while a window is shut",
        "mint/_wire/pipe.py",
        "< AHEAD and not self._windows_shut:",
        "< AHEAD:",
        "pipe",
    ),
    Bug(
        "plaintext before a failure lost",
        "mint/_wire/pipe.py",
        "            failure = failure or (None if layer.ended else layer.failure)\n"
        "            if not octets and not layer.ended:\n",
        "            failure = failure or (None if layer.ended else layer.failure)\n"
        "            if failure or not octets and not layer.ended:\n",
        "pipe",
    ),
    Bug(
        "failure of a layer forgotten",
        "mint/_wire/pipe.py",
        "            failure = failure or (None if layer.ended else layer.failure)\n",
        "            failure = None if layer.ended else layer.failure\n",
        "pipe",
    ),
    Bug(
        "waits to write although the window is shut",
        "mint/_wire/pipe.py",
        "        waits = self._unsealed and self._windows_shut\n",
        "        waits = False\n",
        "pipe",
    ),
)
