"""Whether people can stop newsletters in each way that is promised: canaries do, and probers in other networks try."""
