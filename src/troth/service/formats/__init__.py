"""Date formats that replace Django's own for a language."""
