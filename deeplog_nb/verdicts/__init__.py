"""RANKS -> VERDICTS: policy, calibration, judgement, evaluation. Only here is anything called an anomaly."""
