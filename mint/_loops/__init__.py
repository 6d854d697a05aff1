"""One module per event loop: its part of connecting, its links and its mailbox."""
