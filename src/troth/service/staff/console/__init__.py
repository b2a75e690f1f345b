"""Console pages of staff: people and their rights, legal holds."""
