"""Models under differential privacy: all that is learnt passes through a ledger that adds up what it may tell of one row."""
