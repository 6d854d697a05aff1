# Operations of the caller on streams: sending requests, bodies and trailers, and cancelling.
from .events cimport RequestRef, Step
from .http2_state cimport Core

cdef Step send_request(Core before, object method, object target, object headers, tuple body,
                       bint streaming)
cdef Step send_body(Core before, RequestRef ref, bytes data)
cdef Step send_end(Core before, RequestRef ref, object trailers)
cdef Step send_cancel(Core before, RequestRef ref)
cdef tuple notes_of(Core core, tuple output, list fields)   # of Note
