"""What we compare ourselves with: each does the same work, the usual way."""
