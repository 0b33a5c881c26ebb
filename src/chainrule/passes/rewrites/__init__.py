"""The rows of the rewriting passes, one family per file."""
