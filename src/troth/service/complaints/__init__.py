"""Complaints, questions about the policy, and appeals against answers: a person answers them in writing."""
