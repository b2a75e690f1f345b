"""The breaches of what the library's controls ask; those of a duty are in its module ``rehearsal``."""
