# What crossed the wire, as lines for logs and transcripts; only made while tracing is on. `secret` are
# lower-case names beside those that are known.

cdef tuple notes_of_output(tuple output, bint is_head, frozenset secret)   # of Note; what goes out
cdef tuple notes_of_responses(list responses, frozenset secret)            # of Note; what came in
cdef tuple notes_of_skipped(list lines)
