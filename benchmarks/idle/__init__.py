"""What the service holds and burns while nobody asks for anything."""
