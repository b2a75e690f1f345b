"""Verification of identity, by a mailed link or stored data points: returns what is proven, and changes no case."""
