"""Recording what a connection's engine is given and what it says, without its secrets."""
