"""Links without sockets: queues, TLS and tunnel layers, the guard."""
