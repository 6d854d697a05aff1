"""The part of each event loop in connecting, its links and its mailbox."""
