"""Links without a network: queues, layers, the guard."""
