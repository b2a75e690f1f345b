"""How fast protection is."""
