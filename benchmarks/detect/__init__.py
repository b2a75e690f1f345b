"""Finding personal data in text, beside floors and what others have made, each in a process of its own."""
