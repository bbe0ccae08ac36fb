"""Learning rules: one file per rule, each the same short protocol (memory needed · infer · learn · counts)."""
