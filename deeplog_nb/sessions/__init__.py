"""EVENTS -> SESSIONS -> windows: who belongs together, in which order, what is held out. No network here."""
