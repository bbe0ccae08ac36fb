"""What a spec must agree with beyond its types; faults as lines for the user."""
