"""SESSIONS -> RANKS: the log-key LSTM, the one training loop, saving and loading. It decides nothing."""
