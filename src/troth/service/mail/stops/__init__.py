"""Stops: how people say that they want no more of something, and what that ends."""
