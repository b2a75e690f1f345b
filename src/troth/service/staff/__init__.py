"""Staff: members, their rights and terms, and the log of every access to personal data."""
