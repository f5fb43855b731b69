"""A log that is still being written, judged as it comes: LINES in, VERDICTS out, the same as of the whole log."""
