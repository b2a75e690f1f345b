"""Staff: who works here, what each may do and see and until when, and the record of every look at personal data."""
