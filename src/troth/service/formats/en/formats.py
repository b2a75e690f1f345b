"""English dates with the month in letters, which cannot be misread."""

DATE_FORMAT = "j F Y"
