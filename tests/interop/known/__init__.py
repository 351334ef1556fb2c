"""Known-answer vectors, worked out by this implementation of docs/SPEC.md for every other one; see make_vectors.py."""
