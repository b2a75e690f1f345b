"""Cases of people: what is the same for all of them, from intake, through their clocks, to the end of their period."""
