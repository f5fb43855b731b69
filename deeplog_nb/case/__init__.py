"""What is kept of an investigation and handed on: findings in words, and the report of one run."""
