"""Hedui documents, version 1, read and written from docs/SPEC.md alone."""
