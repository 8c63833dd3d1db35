"""What may happen: states, events, decisions. Pure: no I/O, no clock, no randomness."""
