"""Cases: what a person asks, the clocks that it starts, and everything that follows until it is answered."""
