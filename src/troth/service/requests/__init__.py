"""Requests, complaints and questions of people as cases: from intake, through their clocks, to the answer."""
