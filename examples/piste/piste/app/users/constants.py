"""The names of this part of the API."""

API_NAME = "users"

#: The shortest password, and how many of its characters are different.
LEAST_LENGTH, LEAST_DIFFERENT = 12, 6

#: How often one address may sign up, successfully or not.
SIGN_UPS = "10/hour"

#: The claim that tells which user a token was issued to, and under which password.
USER_CLAIM = "usr"

#: Answers with tokens are not to be kept (RFC 6749, 5.1).
NOT_KEPT = {"Cache-Control": "no-store"}
