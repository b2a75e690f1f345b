"""External systems: HTTP services and application hooks that answer for the people in them."""
