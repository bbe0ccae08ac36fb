"""The ledger: the actions that are counted, and the memory map."""
