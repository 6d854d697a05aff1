# The static table and the choice of a representation (RFC 7541 6.2, 7.1, appendix A).

cdef enum:
    INDEXED = 0              # with incremental indexing (6.2.1), indexed (6.1) when it is in a table
    UNINDEXED = 1            # without indexing (6.2.2)
    NEVER_INDEXED = 2        # never indexed (6.2.3)
    NAME_INDEXED = 3         # unindexed once the name is in a table, indexed before: for the name

cdef tuple static_table()                # (name, value) pairs, index 1 first
cdef int policy_of_known(str name) except -1
cdef int policy_of_unknown(str name, str value) noexcept
