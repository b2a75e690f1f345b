"""Console pages of newsletters: editions, and stops that somebody says on the telephone."""
