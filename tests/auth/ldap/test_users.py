"""Users in a directory."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from buttress import Unavailable
from buttress.auth.ldap import users as ldap
from buttress.auth.ldap.address import parsed
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.ldap.users import LdapUsers
from buttress.auth.users import LONGEST_PASSWORD, UnknownUser, UserError, UsersReadOnly
from buttress.config import Secret
from buttress.testing.contracts.users import *  # noqa: F403  # the contract
from tests.auth.ldap.directory import Directory, shared_directory
from tests.auth.ldap.fake import (
    BIND,
    BOUND,
    DONE,
    EXTENDED,
    EXTENDED_DONE,
    REFERENCE,
    SEARCH,
    FakeLdap,
    entry,
    fake_ldap,
    person,
    result,
    tlv,
    willing,
)

PASSWORD = "Piste 7 is open"
#: Ways to a directory: the scheme, and the settings that go with it.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("ldap", {}),
    "StartTLS": ("ldap", {"starttls": "always"}),
    "LDAPS": ("ldaps", {}),
}


@pytest.fixture
def directory() -> Iterator[Directory]:
    """Give a part of the directory of the tests."""
    with shared_directory() as made:
        yield made


@pytest.fixture
def users(directory: Directory) -> Iterator[LdapUsers]:
    """Give the users in it."""
    with directory.users(groups=directory.groups) as users:
        yield users


@pytest.fixture
def add_user(directory: Directory) -> AddUser:  # noqa: F405  # of the contract
    """Give a function that makes somebody in it."""

    def add(name: str, password: str, email: str | None = None) -> None:
        directory.person(name, password, **({"mail": email} if email else {}))

    return add


@contextmanager
def users_of(fake: FakeLdap, **settings: Any) -> Iterator[LdapUsers]:
    """Give the users of a directory that a test plays."""
    with closing(LdapUsers(parsed(fake.url), LdapSettings(**settings))) as users:
        yield users


@pytest.mark.parametrize(("scheme", "settings"), WAYS.values(), ids=WAYS)
def test_ways_to_a_directory(directory: Directory, scheme: str, settings: dict[str, Any]) -> None:
    """Users log in over every kind of connection, and wrong passwords let nobody in."""
    directory.person("ann", PASSWORD)
    with directory.users(scheme, **settings) as users:
        assert getattr(users.authenticate("ann", PASSWORD), "name", None) == "ann"
        assert users.authenticate("ann", "wrong") is None


@pytest.mark.parametrize(("scheme", "settings"), [WAYS["StartTLS"], WAYS["LDAPS"]], ids=range(2))
def test_an_unknown_authority(
    directory: Directory, scheme: str, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A directory whose authority is not trusted is not asked."""
    with (
        directory.users(scheme, ca_file=None, **settings) as users,
        pytest.raises(Unavailable) as caught,
    ):
        users.authenticate("ann", PASSWORD)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert "CERTIFICATE" not in str(caught.value.description)


@pytest.mark.parametrize(("name", "is_trusted"), [("127.0.0.1", True), ("ldap.example", False)])
def test_the_name_in_a_certificate(tmp_path: Path, name: str, is_trusted: bool) -> None:
    """A certificate of another host is as good as none, and no password goes there."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with fake_ldap() as fake:
        fake.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(fake.tls)
        address = parsed(fake.url.replace("ldap:", "ldaps:"))
        settings = LdapSettings(ca_file=tmp_path / "authority.pem")
        with closing(LdapUsers(address, settings)) as users:
            if is_trusted:
                assert users.get("ann") is not None
            else:
                with pytest.raises(Unavailable):
                    users.authenticate("ann", PASSWORD)
                assert fake.seen == []


def test_a_directory_that_does_not_encrypt(caplog: pytest.LogCaptureFixture) -> None:
    """Where StartTLS is refused, neither a search nor a password goes out."""
    with (
        fake_ldap(lambda *_: [result(EXTENDED_DONE, 2)]) as fake,
        users_of(fake, starttls="always") as users,
        pytest.raises(Unavailable),
    ):
        users.authenticate("ann", PASSWORD)
    assert "StartTLS is refused: 2 protocolError" in caplog.text
    assert fake.seen[:1] == [EXTENDED]
    assert not {BIND, SEARCH} & set(fake.seen)


def test_what_comes_before_the_encryption_counts_not() -> None:
    """An answer that somebody adds in the clear to that of StartTLS is not taken for one."""
    forged = [result(EXTENDED_DONE, 0) + result(BOUND, 0), result(DONE, 0)]
    with (
        fake_ldap(lambda *_: forged) as fake,
        users_of(fake, starttls="always", timeout=0.5) as users,
        pytest.raises(Unavailable),
    ):
        users.authenticate("ann", PASSWORD)
    assert not {BIND, SEARCH} & set(fake.seen)


@pytest.mark.parametrize(
    ("url", "starttls", "is_encrypted"),
    [
        ("ldap://ldap.example/dc=x", "auto", True),
        ("ldap://127.0.0.1/dc=x", "auto", False),
        ("ldap://localhost/dc=x", "always", True),
        ("ldap://ldap.example/dc=x", "never", False),
        ("ldaps://ldap.example/dc=x", "always", False),
    ],
)
def test_when_starttls_is_used(url: str, starttls: Any, is_encrypted: bool) -> None:
    """Passwords go in the clear to this machine only, unless the settings ask for it."""
    server = ldap.LdapServer(parsed(url), LdapSettings(starttls=starttls))
    assert server.starts_tls is is_encrypted


def test_roles_are_groups(directory: Directory, users: LdapUsers) -> None:
    """A user has the names of their groups as roles, however their entry is called."""
    ann = directory.add(
        rf"cn=Ann\, the (first)* \+\\\20,{directory.people}", "inetOrgPerson", uid="ann", sn="x"
    )
    bob = directory.person("bob")
    directory.group("editors", ann)
    directory.group("readers", ann, bob)
    directory.group("others", bob)
    assert getattr(users.get("ann"), "roles", None) == {"editors", "readers"}
    assert getattr(users.get("bob"), "roles", None) == {"readers", "others"}


def test_groups_with_names_as_members(directory: Directory) -> None:
    """Groups may hold the names of users instead of their entries."""
    directory.person("Ann")
    directory.add(
        f"cn=staff,{directory.groups}", "posixGroup", cn="staff", gidNumber=1, memberUid="Ann"
    )
    directory.add(
        f"cn=other,{directory.groups}", "posixGroup", cn="other", gidNumber=2, memberUid="ann"
    )
    with directory.users(groups=directory.groups, group_filter="(memberUid={name})") as users:
        assert getattr(users.get("ann"), "roles", None) == {"staff"}


def test_a_name_that_two_have(
    directory: Directory, users: LdapUsers, caplog: pytest.LogCaptureFixture
) -> None:
    """Where two entries have a name it is nobody's, and the log says so."""
    for _ in range(2):
        directory.person("ann", PASSWORD)
    assert users.authenticate("ann", PASSWORD) is None
    assert users.get("ann") is None
    assert "several entries of the directory have the name ann" in caplog.text


def test_other_names(directory: Directory) -> None:
    """A filter may look for a mail address, too; a user is known by the attribute named first."""
    directory.person("Ann", PASSWORD, mail="ann@a.example")
    with directory.users(filter="(|(uid={name})(mail={name}))") as users:
        found = users.authenticate("ANN@a.example", PASSWORD)
        assert getattr(found, "name", None) == "ann"
        assert users.get("ann") == found


@pytest.mark.parametrize("name", ["νίκος", "Strauß", "渡辺", "O.Hara-1+x@a.example"])
def test_names_with_odd_letters(directory: Directory, users: LdapUsers, name: str) -> None:
    """A user is found by their name as it is in the directory, and as we give it."""
    directory.person(name, PASSWORD)
    found = users.authenticate(name, PASSWORD)
    assert found is not None
    assert users.get(found.name) == found


def test_a_directory_that_compares_laxly() -> None:
    """An entry that a directory finds by another name is not that of this one."""
    both = [person("ann"), person("ånn", entryUUID=b"2"), result(DONE, 0)]
    with (
        fake_ldap(lambda tag, _: both if tag == SEARCH else [result(BOUND, 0)]) as fake,
        users_of(fake) as users,
    ):
        assert getattr(users.authenticate("ånn", "x"), "id", None) == "2"
        assert getattr(users.authenticate("ann", "x"), "id", None) == "id-ann"
        assert users.authenticate("änn", "x") is None


def test_disabled_users_can_be_left_out(directory: Directory) -> None:
    """Who a filter leaves out cannot log in, and what was issued to them ends."""
    dn = directory.person("ann", PASSWORD)
    with directory.users(filter="(&(uid={name})(!(employeeType=gone)))") as users:
        assert users.authenticate("ann", PASSWORD) is not None
        directory.change(dn, employeeType="gone")
        assert users.authenticate("ann", PASSWORD) is None
        assert users.get("ann") is None


def test_nobody_logs_in_to_an_entry_without_password(
    directory: Directory, users: LdapUsers
) -> None:
    """An entry that has no password has no right one."""
    directory.person("ann")
    assert users.authenticate("ann", PASSWORD) is None
    assert users.get("ann") is not None


def test_an_old_password_ends_at_once(directory: Directory, users: LdapUsers) -> None:
    """Every login is one of its own, so that a password holds as long as the directory says."""
    dn = directory.person("ann", PASSWORD)
    assert users.authenticate("ann", PASSWORD) is not None
    directory.change(dn, userPassword="another")
    assert users.authenticate("ann", PASSWORD) is None
    assert users.authenticate("ann", "another") is not None


@pytest.mark.parametrize("password", ["", "\ud800", "x" * (LONGEST_PASSWORD + 1)], ids=range(3))
def test_what_is_no_password_is_not_tried(password: str) -> None:
    """An empty password would be a login as nobody, which succeeds: it is refused before."""
    with fake_ldap() as fake, users_of(fake) as users:
        assert users.authenticate("ann", password) is None
        assert fake.seen == []
        assert users.authenticate("ann", "x") is not None


@pytest.mark.parametrize("code", [19, 32, 48, 49, 50, 53])
def test_a_login_that_is_refused(code: int) -> None:
    """Whatever a directory has against a user, they do not get in."""
    with (
        fake_ldap(lambda *it: [result(BOUND, code)] if it[0] == BIND else willing(*it)) as fake,
        users_of(fake) as users,
    ):
        assert users.authenticate("ann", PASSWORD) is None


@pytest.mark.parametrize("code", [1, 2, 8, 10, 13, 14, 51, 52, 80])
def test_a_login_that_is_not_answered(code: int) -> None:
    """What says nothing of the user is an outage, and not a wrong password."""
    with (
        fake_ldap(lambda *it: [result(BOUND, code)] if it[0] == BIND else willing(*it)) as fake,
        users_of(fake) as users,
        pytest.raises(Unavailable),
    ):
        users.authenticate("ann", PASSWORD)


@pytest.mark.parametrize("code", [1, 3, 10, 11, 32, 50, 51, 80])
def test_a_search_that_is_refused(code: int) -> None:
    """A search that does not succeed is an outage: nobody knows whether there is such a user."""
    with (
        fake_ldap(lambda *_: [result(DONE, code)]) as fake,
        users_of(fake) as users,
        pytest.raises(Unavailable),
    ):
        users.get("ann")


def test_referrals_lead_nowhere() -> None:
    """A directory that names another one is not followed there, by nothing that it answers."""
    with fake_ldap() as other:
        there = tlv(4, other.url.encode())
        refers = [tlv(DONE, result(0, 10)[2:] + tlv(0xA3, there))]
        mentions = [tlv(REFERENCE, there), person(), result(DONE, 0)]
        answers = iter([mentions, refers])
        with fake_ldap(lambda *_: next(answers)) as fake, users_of(fake) as users:
            assert users.get("ann") is not None
            with pytest.raises(Unavailable):
                users.get("ann")
        assert other.connections == 0


def test_an_unknown_name_does_the_same_work() -> None:
    """For a name that nobody has the password is tried, too, where nobody can be."""
    with fake_ldap() as fake, users_of(fake) as users:
        assert users.authenticate("ann", "x") is not None
        known = [tag for tag in fake.seen if tag in (BIND, SEARCH)]
        fake.seen.clear()
        assert users.authenticate("bob", "x") is None
        assert [tag for tag in fake.seen if tag in (BIND, SEARCH)] == known == [SEARCH, BIND]
        (tried,) = (it for it in fake.contents[3:] if b",ou=people,dc=x\x80\x01x" in it)
        assert b"uid=ann" not in tried


def test_a_binary_id() -> None:
    """An id that is no text, such as that of Active Directory, is written in hexadecimal digits."""
    guid = bytes(range(240, 256))
    found = entry("cn=Ann,dc=x", {"sAMAccountName": b"Ann", "objectGUID": guid})
    settings = {"filter": "(sAMAccountName={name})", "id": "objectGUID"}
    with (
        fake_ldap(lambda *_: [found, result(DONE, 0)]) as fake,
        users_of(fake, **settings) as users,
    ):
        assert getattr(users.get("ann"), "id", None) == guid.hex()


def test_an_attribute_without_values() -> None:
    """An attribute that a directory gives without any value is as one that is not there."""
    empty = tlv(0x30, tlv(4, b"mail") + tlv(0x31, b""))
    given = tlv(0x30, tlv(4, b"uid") + tlv(0x31, tlv(4, b"ann")))
    number = tlv(0x30, tlv(4, b"entryUUID") + tlv(0x31, tlv(4, b"1")))
    found = tlv(0x64, tlv(4, b"uid=ann,dc=x") + tlv(0x30, empty + given + number))
    with fake_ldap(lambda *_: [found, result(DONE, 0)]) as fake, users_of(fake) as users:
        assert getattr(users.get("ann"), "email", "x") is None


def test_an_entry_without_id(directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is known by what may become somebody else's, and the log says what is missing."""
    directory.person("ann", PASSWORD)
    with directory.users(id="employeeNumber") as users:
        assert users.authenticate("ann", PASSWORD) is None
        assert users.all() == []
        with pytest.raises(UnknownUser):
            users.info("ann")
    assert "has no employeeNumber that is of use" in caplog.text


def test_users_are_made_elsewhere(users: LdapUsers) -> None:
    """They cannot be made, changed or removed here."""
    for change in (
        lambda: users.create("ann", PASSWORD),
        lambda: users.update("ann", email=None),
        lambda: users.delete("ann"),
    ):
        with pytest.raises(UsersReadOnly):
            change()


def test_users_change_their_passwords(directory: Directory, users: LdapUsers) -> None:
    """Who knows the old password sets a new one, and the account that searches need not be able."""
    directory.person("ann", PASSWORD)
    assert users.change_password("ann", "new", old="wrong") is False
    assert users.change_password("ann", "new", old="") is False
    assert users.change_password("ANN", "Neu ☃", old=PASSWORD) is True
    assert users.authenticate("ann", PASSWORD) is None
    assert users.authenticate("ann", "Neu ☃") is not None


def test_an_administrator_sets_passwords(directory: Directory) -> None:
    """Without the old password the account that searches sets it, where the directory lets it."""
    directory.person("ann", PASSWORD)
    dn, password = directory.admin
    with directory.users(bind_dn=dn, password=Secret(password)) as users:
        assert users.change_password("ann", "new") is True
        assert users.authenticate("ann", "new") is not None
    with directory.users() as users, pytest.raises(UsersReadOnly, match="insufficientAccess"):
        users.change_password("ann", "another")


@pytest.mark.parametrize("password", ["", "\ud800", "x" * (LONGEST_PASSWORD + 1)], ids=range(3))
def test_a_password_that_cannot_be_set(
    directory: Directory, users: LdapUsers, password: str
) -> None:
    """No directory is asked for an empty password, since it would make one up."""
    directory.person("ann", PASSWORD)
    with pytest.raises(UserError):
        users.change_password("ann", password, old=PASSWORD)
    assert users.authenticate("ann", PASSWORD) is not None


@pytest.mark.parametrize("name", ["nobody", "no body"])
def test_the_password_of_nobody(users: LdapUsers, name: str) -> None:
    """There is nothing to change for a name that nobody has."""
    with pytest.raises(UnknownUser):
        users.change_password(name, "new")


@pytest.mark.parametrize(
    ("code", "raised"),
    [(19, UserError), (2, UsersReadOnly), (53, UsersReadOnly), (80, Unavailable)],
)
def test_a_password_that_a_directory_refuses(code: int, raised: type[Exception]) -> None:
    """A weak password, no right to change one, and an outage are told apart."""

    def answer(tag: int, content: bytes) -> list[bytes]:
        refusal = [result(EXTENDED_DONE, code, "in history")]
        return refusal if tag == EXTENDED else willing(tag, content)

    with fake_ldap(answer) as fake, users_of(fake) as users, pytest.raises(raised):
        users.change_password("ann", "new", old="old")


def test_what_is_known_of_a_user(directory: Directory, users: LdapUsers) -> None:
    """The information has the entry, the name to show and the groups."""
    dn = directory.person("ann", PASSWORD, mail="ann@a.example", displayName="Ann A.")
    directory.group("editors", dn)
    info = users.info("ann")
    assert (info["dn"], info["display_name"], info["roles"]) == (dn, "Ann A.", ["editors"])


def test_the_list(directory: Directory, users: LdapUsers) -> None:
    """Users are listed by name with their roles, and no more than asked for."""
    for name in ("bob", "Ann", "cid"):
        dn = directory.person(name)
    directory.group("editors", dn)
    found = users.all()
    assert [it.name for it in found] == ["ann", "bob", "cid"]
    assert found[2].roles == {"editors"}
    assert len(users.all(2)) == 2
    assert users.all(0) == []


def test_a_search_without_account(directory: Directory) -> None:
    """A directory that lets everybody search needs no account for it."""
    directory.person("ann", PASSWORD)
    with directory.users(bind_dn=None, password=None) as users:
        assert users.authenticate("ann", PASSWORD) is not None


def test_an_account_that_is_refused(directory: Directory, caplog: pytest.LogCaptureFixture) -> None:
    """An account with a wrong password is an outage; the log says so, without the password."""
    with directory.users(password=Secret("not-this-one")) as users:
        for question in (users.ping, lambda: users.authenticate("ann", PASSWORD)):
            with pytest.raises(Unavailable):
                question()
    assert f"the account {directory.service} that searches is refused: 49" in caplog.text
    assert not {"not-this-one", PASSWORD} & set(caplog.text.split("'"))


def test_a_base_that_is_not_there(directory: Directory) -> None:
    """A ping notices that there is nothing below which users could be."""
    directory.people = f"ou=nowhere,{directory.base}"
    with directory.users() as users, pytest.raises(Unavailable):
        users.ping()
