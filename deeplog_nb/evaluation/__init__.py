"""Public data sets and methods -> one table of METRICS: what each method finds, in every unit, at what cost."""
