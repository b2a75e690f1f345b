"""Rules about what the text says and what is declared."""
