"""Recording the input and the results of a connection's engine, without secrets."""
