"""English dates with the month in letters, which nobody in the world misreads."""

DATE_FORMAT = "j F Y"
