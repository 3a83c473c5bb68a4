"""Clients of Amazon's services."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions

from buttress.aws import Access, AwsClient, AwsError
from buttress.config import Secret
from buttress.errors import ConfigError

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what this machine says of AWS out of the test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def access(**given: Any) -> Access:
    """Say how SQS is reached."""
    keys = {"key_id": Secret("key"), "secret": Secret("flock-of-sheep")}
    usual = {"region": "eu-west-1", "endpoint": NOWHERE, **keys}
    return Access(name="SQS", url="QUEUES_URL=sqs://eu-west-1", **{**usual, **given})


def raising(error: Exception) -> None:
    """Raise an error of boto3's, as a call of a client would."""
    with AwsClient(access()).failures():
        raise error


def test_the_client_is_made_once() -> None:
    """It has the region, the endpoint and the keys, and the options of botocore."""
    client = AwsClient(access(), connect_timeout=3)
    made = client.get()
    assert client.get() is made
    assert (client.region, made.meta.region_name) == ("eu-west-1", "eu-west-1")
    assert (made.meta.endpoint_url, made.meta.config.connect_timeout) == (NOWHERE, 3)
    assert made._request_signer._credentials.secret_key == "flock-of-sheep"
    client.close()


def test_a_client_that_was_closed_is_made_anew() -> None:
    """Closing twice does no harm, and a later use opens others."""
    client = AwsClient(access())
    made = client.get()
    client.close()
    client.close()
    assert client.get() is not made
    client.close()


def test_a_fork_has_a_client_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client is not used beyond a fork."""
    client = AwsClient(access())
    made = client.get()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert client.get() is not made
    client.close()


def test_no_secret_is_shown() -> None:
    """Whoever prints how a service is reached sees no key."""
    assert "flock-of-sheep" not in repr(access())


def test_a_missing_region_is_named() -> None:
    """All places where it may be written are named."""
    with pytest.raises(ConfigError) as caught:
        AwsClient(access(region=None))
    assert str(caught.value.problems[0]) == (
        "Amazon SQS needs a region: set SQS_REGION_NAME, write it in QUEUES_URL=sqs://eu-west-1, "
        "or give AWS_DEFAULT_REGION."
    )


def test_the_region_may_be_awss_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no setting names one, the environment of AWS does."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert AwsClient(access(region=None)).region == "eu-west-3"


def test_a_profile_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What boto3 cannot be set up with is an error of the configuration."""
    monkeypatch.setenv("AWS_PROFILE", "skiers")
    with pytest.raises(ConfigError, match=r"boto3 cannot be set up for Amazon SQS: .*skiers"):
        AwsClient(access())


@pytest.mark.parametrize("wrong", [{"endpoint": "nowhere:1"}, {"region": "no where"}], ids=str)
def test_a_place_that_is_none_is_named(wrong: dict[str, str]) -> None:
    """What boto3 cannot reach anything at is told with the settings that say it."""
    sentence = "SQS_REGION_NAME or SQS_ENDPOINT_URL: .*no ?where"
    with pytest.raises(ConfigError, match=sentence):
        AwsClient(access(**wrong)).get()


def test_an_answer_that_is_an_error_keeps_its_words() -> None:
    """Amazon's code, text and status are there for whoever knows what they mean."""
    said = {
        "Error": {"Code": "Throttling", "Message": "Not today"},
        "ResponseMetadata": {"HTTPStatusCode": 429},
    }
    with pytest.raises(AwsError) as caught:
        raising(exceptions.ClientError(said, "Send"))
    error = caught.value
    assert (error.code, error.text, error.status) == ("Throttling", "Not today", 429)
    assert str(error) == "Throttling: Not today"


def test_an_answer_without_words_is_an_error() -> None:
    """What some servers leave out is empty."""
    with pytest.raises(AwsError) as caught:
        raising(exceptions.ClientError({}, "Send"))
    assert (caught.value.code, caught.value.text, caught.value.status) == ("", "", 400)


@pytest.mark.parametrize(
    ("make", "code", "sentence"),
    [
        (exceptions.NoCredentialsError, "NoCredentials", "set SQS_ACCESS_KEY_ID and SQS_SECRET_"),
        (
            lambda: exceptions.ParamValidationError(report="no queue"),
            "ParamValidation",
            "no queue",
        ),
    ],
    ids=["no credentials", "wrong arguments"],
)
def test_what_is_never_asked_is_an_error(
    make: Callable[[], Exception], code: str, sentence: str
) -> None:
    """What boto3 refuses by itself has a code too."""
    with pytest.raises(AwsError, match=sentence) as caught:
        raising(make())
    assert caught.value.code == code


def test_no_answer_is_a_connection_error() -> None:
    """A service that is away is told as any server is."""
    with pytest.raises(ConnectionError, match="Amazon SQS: Could not connect"):
        raising(exceptions.EndpointConnectionError(endpoint_url=NOWHERE))
