"""Bugs of transcripts, for `planted.py`."""

from planted_bug import Bug

TRANSCRIPTS: tuple[Bug, ...] = (
    Bug(
        "timeout recorded as a loss",
        "mint/_connections/base.py",
        "self._responses(unrecorded(state).lose(",
        "self._responses(state.lose(",
        "transcripts",
    ),
    Bug(
        "secret recorded after the end",
        "mint/_transcripts/recorded.py",
        "        if not self._state.is_open_read:\n",
        "        if False:\n",
        "transcripts",
    ),
    Bug(
        "padding taken for fields when secrets are replaced",
        "mint/_transcripts/blocks.py",
        "            stop -= octets[start]\n            start += 1\n",
        "            start += 1\n",
        "transcripts",
    ),
    Bug(
        "secret recorded if its name has capital letters",
        "mint/_transcripts/masks.py",
        "    lower = name.lower()\n    if lower not in names",
        "    lower = name\n    if lower not in names",
        "transcripts",
    ),
    Bug(
        "backslash not escaped",
        "mint/_transcripts/literals.py",
        "0x22: '\\\\\"', 0x5C",
        "0x22: '\\\\\"', 0x5D",
        "transcripts",
    ),
    Bug(
        "secret recorded if it is in the name of a field",
        "mint/_transcripts/masks.py",
        "        shown = plain(name, name_spans(name, value, names))\n",
        "        shown = name\n",
        "transcripts",
    ),
    Bug(
        "responses before a fault are not in the error",
        "mint/_connections/base.py",
        "raise from_fault(step.fault).marked(responses=tuple(before), successor=successor) from cause",
        "raise from_fault(step.fault).marked(responses=(), successor=successor) from cause",
        "transcripts",
    ),
    Bug(
        "refusal without a successor",
        "mint/_connections/base.py",
        "        return from_fault(fault).marked(successor=self)\n",
        "        return from_fault(fault)\n",
        "transcripts",
    ),
)
