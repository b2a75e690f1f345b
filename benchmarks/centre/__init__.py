"""The home of the privacy centre, as fast as one core serves it."""
