"""SESSIONS -> VERDICTS by what is not an LSTM: count vectors, invariants, n-grams, trivial rules, a supervised one."""
