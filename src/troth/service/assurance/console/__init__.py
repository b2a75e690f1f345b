"""Console pages of promises: their status and controls, waivers and attestations, and processing."""
