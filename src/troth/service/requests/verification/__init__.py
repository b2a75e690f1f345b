"""Verification of identity: by a mailed link, or by stored data points."""
