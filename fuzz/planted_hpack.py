"""Bugs of HPACK, for `planted.py`."""

from planted_bug import Bug

HPACK: tuple[Bug, ...] = (
    Bug(
        "invalid field accepted from the table",
        "mint/_core/hpack.pyx",
        "        seen |= entry.note\n",
        "        pass\n",
        "hpack",
    ),
    Bug(
        "invalid name accepted from the table",
        "mint/_core/hpack.pyx",
        "            note = entry.note & (MARK_NAME | MARK_PSEUDO)\n",
        "            note = 0\n",
        "hpack",
    ),
    Bug(
        "short token indexed",
        "mint/_core/hpack.pyx",
        "            and is_long_credential(<str>name, <str>value)):",
        "            and True):",
        "hpack",
    ),
    Bug(
        "smallest of several table sizes not signalled",
        "mint/_core/hpack.pyx",
        "            if state.smallest < work.span.maximum:\n",
        "            if state.smallest < 0:\n",
        "hpack",
    ),
    Bug(
        "end-of-string symbol in a long string",
        "mint/_core/huffman.pxd",
        "            if symbol == 256:\n"
        "                return HUFFMAN_EOS       # 7541-5.2-c\n"
        "            out[0] = <unsigned char>symbol\n"
        "            out += 1\n"
        "            bits <<= spent\n"
        "            held -= spent\n"
        "    # The end",
        "            out[0] = <unsigned char>symbol\n"
        "            out += 1\n"
        "            bits <<= spent\n"
        "            held -= spent\n"
        "    # The end",
        "hpack",
    ),
    Bug(
        "padding of more than seven bits",
        "mint/_core/huffman.pxd",
        "            if left < 8:                 # 7541-5.2-b",
        "            if left < 16:                 # 7541-5.2-b",
        "hpack",
    ),
    Bug(
        "declared secret indexed from the static table",
        "mint/_core/hpack.pyx",
        "    if policy != NEVER_INDEXED and known != NULL:\n",
        "    if known != NULL:\n",
        "hpack",
    ),
    Bug(
        "declared secret ignored if HPACK knows the name",
        "mint/_core/hpack.pyx",
        "    if sensitive is not None and <object>name in sensitive:\n",
        "    if sensitive is not None and known == NULL and <object>name in sensitive:\n",
        "hpack",
    ),
    Bug(
        "declared secret indexed from the dynamic table",
        "mint/_core/hpack.pyx",
        "    if policy == INDEXED and work.table is not None:\n        age",
        "    if work.table is not None:\n        age",
        "hpack",
    ),
)
