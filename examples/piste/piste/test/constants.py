"""What the tests know of the data file."""

PROBLEM = "application/problem+json"

OPEN_LIFT = "combe"
CLOSED_LIFT = "aiguille"

#: A closed piste whose lift runs, and one whose lift does not.
CLOSED_PISTE = "couloir"
UNREACHABLE_PISTE = "glacier"
