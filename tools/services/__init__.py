"""Private servers for the tests: `make services-up`, `make services-down`.

Each listens on a free port of the loopback interface, with a password of its own, and keeps its
data in a scratch folder. A URL that the environment gives wins, and nothing is started for it.
"""
