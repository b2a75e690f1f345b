"""The console: cases as staff see them, and what may be done with them."""
