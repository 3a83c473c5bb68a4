"""Users in a directory: OpenLDAP, 389, Active Directory and others (RFC 4511)."""

from __future__ import annotations

import logging
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NoReturn

from buttress.auth.ldap.address import LdapAddress
from buttress.auth.ldap.connection import (
    BASE,
    Entry,
    LdapConnection,
    LdapFailure,
    LdapServer,
    Result,
    is_filter,
)
from buttress.auth.ldap.filter import DN, NAME, NameFilter, escaped
from buttress.auth.ldap.pace import Pace
from buttress.auth.ldap.pool import LdapPool
from buttress.auth.ldap.settings import LdapSettings
from buttress.auth.users import (
    LONGEST_PASSWORD,
    UnknownUser,
    User,
    UserError,
    Users,
    UsersReadOnly,
    is_password,
    normal,
)
from buttress.errors import ConfigError, Unavailable
from buttress.lifecycle import Deadline
from buttress.web import current_deadline

logger = logging.getLogger("buttress.auth")

#: Results of RFC 4511, 4.1.9.
SUCCESS, SIZE_LIMIT_EXCEEDED = 0, 4
CONSTRAINT_VIOLATION, INSUFFICIENT_RIGHTS, UNWILLING = 19, 50, 53
#: A bind with one of these says something of the user, and every other of the directory:
#: also noSuchObject, inappropriateAuthentication and invalidCredentials.
REFUSED = frozenset({CONSTRAINT_VIOLATION, 32, 48, 49, INSUFFICIENT_RIGHTS, UNWILLING})
#: These say that passwords are changed elsewhere: also protocolError, where it is not known how.
NOT_CHANGED_HERE = frozenset({2, INSUFFICIENT_RIGHTS, UNWILLING})
#: Entries that are looked at for one name: a directory may take an accent for none.
SIMILAR = 10
DOWN = "It cannot be found out at the moment who you are."


class LdapUsers(Users):
    """Search for users by a service's account, and log in as they do to check their passwords.

    The directory decides who may log in; a filter that leaves disabled users out ends what was
    issued to them, too. Users are made and changed there, but for their passwords.
    """

    name = "ldap"

    def __init__(self, address: LdapAddress, settings: LdapSettings) -> None:
        self._base = address.base
        self._settings = settings
        self._server = LdapServer(address, settings)
        self._pool = LdapPool(self._searching, settings.pool)
        self._pace = Pace()
        self._filter = NameFilter(settings.filter)
        _check_filters(settings)
        # For the password of a name that there is not; nobody can have this one.
        self._nobody = f"cn={secrets.token_hex(16)},{address.base}"

    def authenticate(self, name: str, password: str) -> User | None:
        """Log in as the user, over a connection that is for this password alone."""
        if not _is_name(name) or not _is_password(password):
            return None
        deadline, began = self._deadline(), self._pace.begin()
        with self._answered():
            entry = self._find(name, deadline)
            right = self._is_right(self._nobody if entry is None else entry.dn, password, deadline)
            if entry is None:
                self._pace.unknown(began, deadline.left())
                return None
            self._pace.known(began)
            return self._user(entry, deadline) if right else None

    def get(self, name: str) -> User | None:
        """Find a user by name."""
        deadline = self._deadline()
        with self._answered():
            entry = self._find(name, deadline) if _is_name(name) else None
            return None if entry is None else self._user(entry, deadline)

    def create(
        self, name: str, password: str, *, email: str | None = None, roles: Iterable[str] = ()
    ) -> User:
        """Refuse: users are made in the directory."""
        _refuse()

    def update(self, name: str, **changes: Any) -> User:
        """Refuse: users are changed in the directory."""
        _refuse()

    def change_password(self, name: str, password: str, *, old: str | None = None) -> bool:
        """Have the directory set a password (RFC 3062): as the user, or as the account.

        Raises `UserError` where it does not like the new one.
        """
        if not _is_password(password):
            raise UserError(f"A password has between 1 and {LONGEST_PASSWORD} characters.")
        deadline = self._deadline()
        with self._answered():
            dn = self._known(name, deadline).dn
            if old is None:
                _check_change(
                    self._pool.ask(lambda it: it.set_password(dn, None, password), deadline)
                )
                return True
            return _is_password(old) and self._change_own(dn, password, old, deadline)

    def delete(self, name: str) -> bool:
        """Refuse: users are removed from the directory."""
        _refuse()

    def info(self, name: str) -> Mapping[str, Any]:
        """Give the entry, the user, and what they are called."""
        deadline = self._deadline()
        with self._answered():
            entry = self._known(name, deadline)
            user = self._user(entry, deadline)
        if user is None:
            raise UnknownUser(f"There is no user {name!r}.")
        called = [*entry.texts("displayName"), *entry.texts("cn")]
        return {
            "dn": entry.dn,
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "roles": sorted(user.roles),
            "active": user.active,
            "display_name": called[0] if called else None,
        }

    def all(self, limit: int = 1000) -> list[User]:
        """List users by name; where there are more than ``limit``, the directory says which."""
        if limit < 1:
            return []
        with self._answered():
            entries, _ = self._search(self._filter.of_all(), self._deadline(), limit)
            users = [self._user(entry, self._deadline()) for entry in entries]
        return sorted((user for user in users if user is not None), key=lambda user: user.name)

    def ping(self) -> None:
        """Ask for the entry below which the users are."""
        deadline = self._deadline()
        with self._answered():
            _found(
                self._pool.ask(
                    lambda it: it.search(self._base, "(objectClass=*)", ["1.1"], scope=BASE),
                    deadline,
                )
            )

    def close(self) -> None:
        """Close the connections that search."""
        self._pool.close()

    def _find(self, name: str, deadline: Deadline) -> Entry | None:
        """Find the entry of a name, as we compare names, which a directory may do more laxly."""
        wanted = normal(name)
        found, is_all = self._search(self._filter.of(_spelling(name)), deadline, SIMILAR)
        entries = [entry for entry in found if wanted in self._names(entry)]
        if is_all and len(entries) == 1:
            return entries[0]
        if entries:
            logger.warning("several entries of the directory have the name %s: nobody is", wanted)
        return None

    def _known(self, name: str, deadline: Deadline) -> Entry:
        entry = self._find(name, deadline) if _is_name(name) else None
        if entry is None:
            raise UnknownUser(f"There is no user {name!r}.")
        return entry

    def _search(self, text: str, deadline: Deadline, most: int) -> tuple[list[Entry], bool]:
        """Give entries of users, and whether these are all."""
        wanted = (*self._filter.attributes, self._settings.id, "mail", "cn", "displayName")
        return _found(
            self._pool.ask(lambda it: it.search(self._base, text, wanted, most), deadline)
        )

    def _names(self, entry: Entry) -> set[str]:
        """Give all that a user may log in with."""
        texts = [text for attribute in self._filter.attributes for text in entry.texts(attribute)]
        return {normal(text) for text in texts if _is_name(text)}

    def _user(self, entry: Entry, deadline: Deadline) -> User | None:
        names = [text for text in entry.texts(self._filter.attributes[0]) if _is_name(text)]
        ids = entry.values.get(self._settings.id.lower(), ())
        if not names or not ids:
            lacking = self._settings.id if names else self._filter.attributes[0]
            logger.error("%s of the directory has no %s that is of use", entry.dn, lacking)
            return None
        return User(
            id=_text_or_hex(ids[0]),
            name=_spelling(names[0]),
            email=next(iter(entry.texts("mail")), None),
            roles=self._roles(entry.dn, names[0], deadline),
        )

    def _roles(self, dn: str, name: str, deadline: Deadline) -> frozenset[str]:
        base = self._settings.groups
        if base is None:
            return frozenset()
        text = self._settings.group_filter.replace(DN, escaped(dn)).replace(NAME, escaped(name))
        groups, is_all = _found(self._pool.ask(lambda it: it.search(base, text, ["cn"]), deadline))
        if not is_all:
            logger.warning("%s is in more groups than the directory tells", dn)
        return frozenset(role for group in groups for role in group.texts("cn"))

    def _is_right(self, dn: str, password: str, deadline: Deadline) -> bool:
        with closing(LdapConnection(self._server, deadline)) as own:
            return _is_let_in(own.bind(dn, password))

    def _change_own(self, dn: str, password: str, old: str, deadline: Deadline) -> bool:
        with closing(LdapConnection(self._server, deadline)) as own:
            if not _is_let_in(own.bind(dn, old)):
                return False
            _check_change(own.set_password(None, old, password))
            return True

    def _searching(self, deadline: Deadline) -> LdapConnection:
        """Open a connection of the account that searches."""
        made = LdapConnection(self._server, deadline)
        dn, password = self._settings.bind_dn, self._settings.password
        if dn is None or password is None:
            return made
        try:
            result = made.bind(dn, password.reveal())
            if result.code != SUCCESS:
                raise LdapFailure(f"the account {dn} that searches is refused: {result.text}")
        except BaseException:
            made.drop()
            raise
        return made

    def _deadline(self) -> Deadline:
        """Give the time for a question: less where somebody waits no longer."""
        asked = current_deadline()
        most = self._settings.timeout
        return Deadline(most if asked is None else min(most, asked.left()))

    @contextmanager
    def _answered(self) -> Iterator[None]:
        try:
            yield
        except LdapFailure as error:
            logger.error("the directory gives no answer: %s", error)
            raise Unavailable(DOWN) from error


def _check_filters(settings: LdapSettings) -> None:
    filters = {"AUTH_LDAP_FILTER": settings.filter, "AUTH_LDAP_GROUP_FILTER": settings.group_filter}
    wrong = [key for key, text in filters.items() if not is_filter(text)]
    if wrong:
        raise ConfigError([f"{key} is no filter (RFC 4515), such as (uid=…)." for key in wrong])


def _is_name(text: str) -> bool:
    try:
        normal(text)
    except ValueError:
        return False
    return True


def _spelling(name: str) -> str:
    """Give a name as a directory is asked for it, and as a user bears it.

    Unlike `normal` it keeps letters, such as ß and ς, that a directory does not take for others.
    """
    return unicodedata.normalize("NFKC", name).lower()


def _is_password(text: str) -> bool:
    """Tell whether it can be one; an empty one would be a login as nobody (RFC 4513, 5.1.2)."""
    if not is_password(text):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _found(answer: tuple[Result, list[Entry]]) -> tuple[list[Entry], bool]:
    result, entries = answer
    if result.code not in (SUCCESS, SIZE_LIMIT_EXCEEDED):
        raise LdapFailure(f"a search is refused: {result.text}")
    return entries, result.code == SUCCESS


def _is_let_in(result: Result) -> bool:
    if result.code != SUCCESS and result.code not in REFUSED:
        raise LdapFailure(f"a login is answered by {result.text}")
    return result.code == SUCCESS


def _check_change(result: Result) -> None:
    if result.code == CONSTRAINT_VIOLATION:
        raise UserError(f"The directory does not take this password: {result.text}.")
    if result.code in NOT_CHANGED_HERE:
        raise UsersReadOnly(f"The directory lets no password be changed so: {result.text}.")
    if result.code != SUCCESS:
        raise LdapFailure(f"a change of a password is answered by {result.text}")


def _text_or_hex(value: bytes) -> str:
    """Give an id as text, or in hexadecimal digits where it is none, as in Active Directory."""
    is_text = value.isascii() and value.decode("ascii", "replace").isprintable()
    return value.decode() if is_text else value.hex()


def _refuse() -> NoReturn:
    raise UsersReadOnly("Users are made, changed and removed in the directory itself.")
