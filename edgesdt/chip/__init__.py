"""The simulated chip: it learns, infers, counts actions, and saves its state."""
