"""DeepLog, whole, in a notebook."""
