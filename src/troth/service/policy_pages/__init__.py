"""The published policy and its versions, with a badge under each sentence that controls check."""
