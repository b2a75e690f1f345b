"""The promise board: runs controls when they are due, keeps the evidence, and shows the policy as it is kept."""
