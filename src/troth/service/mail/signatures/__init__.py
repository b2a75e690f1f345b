"""Signatures of e-mails (DKIM): the signer, its keys, and their DNS records."""
