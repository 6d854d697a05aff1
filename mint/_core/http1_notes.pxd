# What was sent and received, as lines for logs and transcripts; made only while tracing is on. `secret` are
# the lower-case names that the caller declared secret.

cdef tuple notes_of_output(tuple output, bint is_head, frozenset secret)   # of Note; what is sent
cdef tuple notes_of_responses(list responses, frozenset secret)            # of Note; what was received
cdef tuple notes_of_skipped(list lines)
