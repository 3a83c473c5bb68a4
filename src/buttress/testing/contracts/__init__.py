"""Contract suites: one for each family of backends, run on every backend of it."""
