"""Protection: keys, sealed values, pseudonyms, commitments and masks."""
