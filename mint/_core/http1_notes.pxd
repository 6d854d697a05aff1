# What crossed the wire, as lines for logs and transcripts; only made while tracing is on.

cdef tuple notes_of_output(tuple output, bint is_head)     # of Note; what goes out
cdef tuple notes_of_responses(list responses)              # of Note; what came in
