"""MariaDB, by PyMySQL. Only InnoDB tables are written; MySQL itself is refused (it lacks some of the syntax).

PyMySQL writes values into the statement as literals. There a collation decides what is equal ('ann' = 'Ann' = 'Änn '),
which would confuse people: so every comparison of text is made twice, once so that the column's index applies, once
exactly.
"""

# ruff: noqa: S608 -- SQL is composed here: names are quoted, values are parameters

from __future__ import annotations

import datetime as dt
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pymysql
import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_time

from troth.stores.contract import (
    Column,
    ColumnKind,
    ForeignKey,
    NetworkSessions,
    Principal,
    RequiredGrants,
    Row,
    Scalar,
    StoreLimits,
    TableKind,
    TableSchema,
    TransportSecurity,
)
from troth.stores.sql.dialect import (
    BUSY,
    CHANGED,
    LOST,
    NOT_LET_IN,
    Declined,
    Dialect,
    DriverFault,
    SqlClause,
    SqlTable,
    closure_of,
    conflict,
    other,
    refused,
    run,
    verbs,
)
from troth.stores.values import ValueMismatch, fitted, naive_utc


class MariaDB(Dialect):
    name = "mariadb"
    driver = "mariadb+pymysql"
    extra = "mariadb"
    values_max = 5_000  # beyond some 16,000 the optimiser no longer uses an index for the values
    snapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT"

    # --- connecting -----------------------------------------------------------------------------------------------

    def engine(self, limits: StoreLimits, *, read_only: bool) -> sa.Engine:
        if not self.url.database:
            raise ValueError("the URL must name a database")
        settings = {
            "time_zone": "'+00:00'",
            "sql_mode": "'STRICT_ALL_TABLES'",  # an oversized value is refused, never truncated
            "innodb_lock_wait_timeout": math.ceil(limits.lock_s),
            "lock_wait_timeout": math.ceil(limits.lock_s),
            "max_statement_time": limits.statement_s,
            "tx_read_only": int(read_only),
        }
        return self._engine(
            self.url,
            read_only=read_only,
            connect_args={
                "charset": "utf8mb4",
                "connect_timeout": max(1, round(limits.connect_s)),
                "conv": {**conversions, FIELD_TYPE.TIME: _time},
                "init_command": "SET " + ", ".join(f"{name} = {value}" for name, value in settings.items()),
                "read_timeout": math.ceil(limits.statement_s + limits.lock_s + 1),
                "write_timeout": math.ceil(limits.statement_s + 1),
            },
            isolation_level="AUTOCOMMIT" if read_only else "REPEATABLE READ",
        )

    def fault(self, error: BaseException) -> DriverFault:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        said = str(error.args[1]) if len(error.args) > 1 else ""
        if code in _BUSY:
            return BUSY
        if code in _LOST or isinstance(error, pymysql.err.InterfaceError):
            return LOST
        if code in _REFUSED:
            return refused(_REFUSED[code])
        if code in {1054, 1146}:
            return CHANGED
        if code in _CONFLICTS:
            names = _CONFLICTS[code].search(said)  # the last match: the text before it may be a value
            return conflict(f"a constraint forbids it: {names[1]}" if names else "a constraint forbids it")
        if isinstance(error, pymysql.err.DataError | pymysql.err.IntegrityError):
            return conflict("a value does not fit its column")
        return other(error, code)

    # --- looking --------------------------------------------------------------------------------------------------

    def describe(self, connection: sa.Connection) -> dict[str, SqlTable]:
        relations = {row[0]: row[1:] for row in run(connection, _RELATIONS)}
        json_columns = {(table, column) for table, column in run(connection, _JSON)}
        columns: dict[str, list[Column]] = defaultdict(list)
        traits: dict[str, dict[str, str]] = defaultdict(dict)
        for table, name, *facts, charset, collation in run(connection, _COLUMNS):
            columns[table].append(_column(name, *facts, is_json=(table, name) in json_columns))
            traits[table][name] = f"{charset} {collation}" if charset else ""
        indexes: dict[str, dict[str, tuple[list[str], bool]]] = defaultdict(dict)
        for table, index, is_unique, column, is_part in run(connection, _INDEXES):
            names, _ = indexes[table].setdefault(index, ([], bool(is_unique) and not is_part))
            names.append(column)
        pairs: dict[tuple[str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
        for table, constraint, target, rule, ours, theirs in run(connection, _REFERENCES):
            pairs[table, constraint, target, rule].append((ours, theirs))
        references: dict[str, list[ForeignKey]] = defaultdict(list)
        for (table, _, target, rule), both in pairs.items():
            mine, others = zip(*both, strict=True)
            references[table].append(ForeignKey(mine, target, others, rule.lower()))
        return {
            name: SqlTable(
                _table(name, facts, columns[name], indexes[name], references[name]),
                self.quote(name),
                traits[name],
                _refusal(facts),
            )
            for name, facts in relations.items()
        }

    def principals(self, connection: sa.Connection, tables: Mapping[str, SqlTable]) -> list[Principal]:
        """Accounts and roles with their privileges, from the server's own tables. Needs SELECT on them."""
        database = str(self.url.database)
        _check_accounts_readable(connection)
        reads: dict[str, set[str]] = defaultdict(set)
        writes: dict[str, set[str]] = defaultdict(set)
        why: dict[str, set[str]] = defaultdict(set)
        for who, place, pattern, can_read, can_write in run(connection, SqlClause(_PRIVILEGES, (database,))):
            reached = set(tables) if place == "*" and _like(pattern, database) else {place} & set(tables)
            reads[who] |= reached if can_read else set()
            writes[who] |= reached if can_write else set()
            if reached and (can_read or can_write):
                why[who].add("all databases" if place == "*" and pattern == "%" else "granted")
        becomes: dict[str, set[str]] = defaultdict(set)
        for member, role in run(connection, _MEMBERSHIPS):
            becomes[member].add(role)
        accounts = {who: bool(can_login) for who, can_login in run(connection, _ACCOUNTS)}
        found = []
        for who, can_login in accounts.items():
            groups = closure_of(who, becomes) | {"PUBLIC"}
            read = frozenset().union(*(reads[group] for group in groups))
            write = frozenset().union(*(writes[group] for group in groups))
            if (read or write) and who != "PUBLIC":
                through = sorted(group for group in groups - {who} if reads[group] or writes[group])
                reasons = sorted(why[who]) + [f"role {group}" if group != "PUBLIC" else group for group in through]
                found.append(Principal(who, can_login, read, write, ", ".join(reasons)))
        return found

    def transport(self, connection: sa.Connection) -> TransportSecurity:
        status = dict(
            run(connection, SqlClause("SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_version', 'Ssl_cipher')"))
        )
        version = status.get("Ssl_version")
        is_local = bool(self.url.query.get("unix_socket"))
        sessions = _sessions(connection, ours=(0, 0) if is_local else (1, 0 if version else 1))
        if is_local:
            return TransportSecurity(encrypted=True, detail="local socket", is_local=True, sessions=sessions)
        how = f"{version} {status.get('Ssl_cipher')}" if version else "not encrypted"
        return TransportSecurity(bool(version), how, sessions=sessions)

    def grants(self, tables: Mapping[str, SqlTable], role: str, access: Sequence[RequiredGrants]) -> str:
        who = f"{_literal(role)}@'%'"
        database = _plainly_quoted(str(self.url.database))
        lines = [
            "-- What this account needs in this database, and nothing else. It cannot log in until you have run:",
            f"-- ALTER USER {who} IDENTIFIED BY '...' ACCOUNT UNLOCK;",
            f"CREATE USER {who} ACCOUNT LOCK;",
        ]
        for one in access:
            place = f"{database}.{_plainly_quoted(one.table)}"
            columns = ", ".join(_plainly_quoted(name) for name in one.amends)
            lines.append(f"GRANT {verbs(one, columns)} ON {place} TO {who};")
        lines += [
            "-- Only if the control of encrypted connections is to see those of other accounts, on a server that runs",
            "-- with performance_schema = ON. With require_secure_transport = ON it need not see them.",
            f"-- {_SEES_SESSIONS.format(who)}",
        ]
        return "\n".join(lines) + "\n"

    # --- writing SQL ----------------------------------------------------------------------------------------------

    def matching(self, table: SqlTable, columns: Sequence[str], rows: Sequence[Row], *, fold: bool) -> SqlClause:
        if fold:
            return self._folded(table, columns[0], rows)
        values = tuple(value for row in rows for value in row)
        candidates = _in(
            [self.quote(name) for name in columns], [self._mark(table, name) for name in columns], len(rows)
        )
        if not any(table.traits[name] for name in columns):
            return SqlClause(candidates, values)
        exact = _in([self._exact(table, name) for name in columns], ["%s"] * len(columns), len(rows))
        return SqlClause(f"({candidates} AND {exact})", values * 2)

    def by_digits(self, table: SqlTable, column: Column, digits: Sequence[str]) -> SqlClause:
        held = f"REGEXP_REPLACE(CONVERT({self.quote(column.name)} USING utf8mb4), '[^0-9]+', '')"
        return SqlClause(_in([f"{held} COLLATE utf8mb4_nopad_bin"], ["%s"], len(digits)), tuple(digits))

    def before(self, table: SqlTable, column: Column, moment: dt.datetime) -> SqlClause:
        if column.kind is ColumnKind.INTEGER:
            return self.epoch_before(column.name, moment, "%s")
        bound = moment.date() if column.kind is ColumnKind.DATE else naive_utc(moment)
        name = self.quote(column.name)  # 0000-00-00 means "not known" and is before nothing
        return SqlClause(f"({name} < %s AND {name} >= '1000-01-01')", (bound,))

    def after(self, key: Sequence[str], row: Row, mark: str = "%s") -> SqlClause:
        """Spelled out, because MariaDB uses no index range for a row comparison."""
        names = [self.quote(name) for name in key]
        ways = [
            " AND ".join([*(f"{n} = {mark}" for n in names[:at]), f"{names[at]} > {mark}"]) for at in range(len(key))
        ]
        return SqlClause(f"({' OR '.join(ways)})", tuple(value for at in range(len(key)) for value in row[: at + 1]))

    def amending(
        self, table: SqlTable, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool
    ) -> SqlClause:
        head = [f"{self.quote(name)} AS c{n}" for n, name in enumerate(key)]  # so that both sides of ON have one type
        head += [f"NULL AS c{n}" for n, _ in enumerate(columns, len(key))]
        marks = [self._mark(table, name) for name in key] + ["%s"] * len(columns)
        line = f"({', '.join(marks)})"
        on = [f"t.{self.quote(name)} = v.c{n}" for n, name in enumerate(key)]
        on += [
            f"{self._exact(table, name, 't.')} = {_exactly(f'v.c{n}')}"
            for n, name in enumerate(key)
            if table.traits[name]
        ]
        new = [(name, f"v.c{n}") for n, name in enumerate(columns, len(key))]
        sets = ", ".join(f"t.{self.quote(name)} = {self.assigned(name, to, keep_nulls=keep_nulls)}" for name, to in new)
        wanted = (
            f"SELECT {', '.join(head)} FROM {table.quoted} WHERE FALSE UNION ALL VALUES {', '.join([line] * len(rows))}"
        )
        sql = f"UPDATE ({wanted}) AS v STRAIGHT_JOIN {table.quoted} AS t ON {' AND '.join(on)} SET {sets}"
        return SqlClause(sql, tuple(value for row in rows for value in row))

    def sample(self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int) -> list[Row]:
        return self.spread_sample(connection, table, columns, rows, "%s")

    def sought(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        return [_fit(value) for value in fitted(column.kind, values)]

    def _mark(self, table: SqlTable, name: str) -> str:
        """The placeholder for a value that is compared with a column, so that the column's index can be used."""
        column = table.column(name)
        if column.kind in _CASTS:
            return f"CAST(%s AS {_CASTS[column.kind]})"
        charset, _, collation = table.traits[name].partition(" ")
        return "%s" if charset in {"", "utf8mb4"} else f"CONVERT(%s USING {charset}) COLLATE {collation}"

    def _exact(self, table: SqlTable, name: str, prefix: str = "") -> str:
        quoted = f"{prefix}{self.quote(name)}"
        return _exactly(quoted) if table.traits[name] else quoted

    def _folded(self, table: SqlTable, name: str, rows: Sequence[Row]) -> SqlClause:
        words = tuple(word for (word,) in rows)
        marks = ", ".join(["LOWER(%s)"] * len(words))
        exact = f"LOWER(CONVERT({self.quote(name)} USING utf8mb4)) COLLATE utf8mb4_nopad_bin IN ({marks})"
        if not table.traits[name].endswith("_ci"):
            return SqlClause(exact, words)
        return SqlClause(f"({_in([self.quote(name)], [self._mark(table, name)], len(words))} AND {exact})", words * 2)


_BUSY = {1020, 1205, 1213, 1969, 3024}
_LOST = {1040, 1053, 1129, 1203, 1927, 2002, 2003, 2006, 2013, 2055, 4031}
_REFUSED = {
    1044: NOT_LET_IN,
    1045: NOT_LET_IN,
    1049: "the server has no such database; check the name at the end of the URL",
    1142: "the account lacks a privilege: see `troth.stores.grants` for the script that gives it",
    1143: "the account lacks a privilege: see `troth.stores.grants` for the script that gives it",
    1227: "the account lacks a privilege",
    1290: "the server accepts no changes (it is read-only)",
    1698: NOT_LET_IN,
    1792: "the connection is read-only",
    1153: "a value is larger than the server's max_allowed_packet",
}
_UNSEEN = {1054, 1142, 1143, 1146}
"""The account lacks the privilege, or the server is too old to know how a session is connected."""
_COLUMN = re.compile(r".*column '([^']*)'", re.DOTALL | re.IGNORECASE)
_CONFLICTS = {
    1048: _COLUMN,
    1062: re.compile(r".*for key '([^']*)'$", re.DOTALL),
    1264: _COLUMN,
    1265: _COLUMN,
    1292: re.compile(r".* for column ((?:`[^`]*`\.?)+)", re.DOTALL),
    1366: re.compile(r".* for column ((?:`[^`]*`\.?)+)", re.DOTALL),
    1406: _COLUMN,
    1451: re.compile(r".*CONSTRAINT (`[^`]*`)", re.DOTALL),
    1452: re.compile(r".*CONSTRAINT (`[^`]*`)", re.DOTALL),
    1644: re.compile(r"$^"),  # SIGNAL in a trigger: its text may hold anything
    4025: re.compile(r"^CONSTRAINT (`[^`]*`)"),
}
_ACCOUNT_TABLES = ("user", "global_priv", "db", "tables_priv", "roles_mapping")
_CASTS = {
    ColumnKind.DATE: "DATE",
    ColumnKind.DATETIME: "DATETIME(6)",
    ColumnKind.TIME: "TIME(6)",
    ColumnKind.UUID: "UUID",
}
_KINDS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), ColumnKind.INTEGER),
    **dict.fromkeys(("decimal", "float", "double"), ColumnKind.NUMBER),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), ColumnKind.TEXT),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), ColumnKind.BYTES),
    **dict.fromkeys(("datetime", "timestamp"), ColumnKind.DATETIME),
    "date": ColumnKind.DATE,
    "time": ColumnKind.TIME,
    "uuid": ColumnKind.UUID,
}

_RELATIONS = SqlClause(
    """SELECT table_name, table_type, engine, table_rows, table_comment
    FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'SEQUENCE' ORDER BY table_name"""
)
_COLUMNS = SqlClause(
    """SELECT table_name, column_name, data_type, column_type, is_nullable = 'YES', character_maximum_length,
        is_generated = 'ALWAYS', column_comment,
        extra LIKE '%%auto_increment%%' OR COALESCE(column_default, 'NULL') <> 'NULL', character_set_name,
        collation_name
    FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""
)
_JSON = SqlClause(
    """SELECT table_name, constraint_name FROM information_schema.check_constraints
    WHERE constraint_schema = DATABASE() AND level = 'Column' AND check_clause LIKE 'json_valid(%%'"""
)
_INDEXES = SqlClause(
    """SELECT table_name, index_name, non_unique = 0, column_name, sub_part IS NOT NULL
    FROM information_schema.statistics WHERE table_schema = DATABASE()
    ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index"""
)
_REFERENCES = SqlClause(
    """SELECT k.table_name, k.constraint_name, k.referenced_table_name, r.delete_rule, k.column_name,
        k.referenced_column_name
    FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
    ON r.constraint_schema = k.table_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
    WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL
    ORDER BY k.table_name, k.constraint_name, k.ordinal_position"""
)
_PRIVILEGES = """
SELECT if(is_role = 'Y', user, concat(user, '@', host)), '*', '%%', select_priv = 'Y',
    'Y' IN (insert_priv, update_priv, delete_priv) FROM mysql.user
UNION ALL SELECT if(host = '', user, concat(user, '@', host)), '*', db, select_priv = 'Y',
    'Y' IN (insert_priv, update_priv, delete_priv) FROM mysql.db
UNION ALL SELECT if(host = '', user, concat(user, '@', host)), table_name, db,
    concat(table_priv, column_priv) LIKE '%%Select%%', concat(table_priv, column_priv) REGEXP 'Insert|Update|Delete'
    FROM mysql.tables_priv WHERE db = %s"""
_MEMBERSHIPS = SqlClause("SELECT if(host = '', user, concat(user, '@', host)), role FROM mysql.roles_mapping")
_ACCOUNTS = SqlClause(
    """SELECT if(u.is_role = 'Y', u.user, concat(u.user, '@', u.host)),
        u.is_role = 'N' AND coalesce(json_value(p.priv, '$.account_locked'), 0) <> 1
    FROM mysql.user u JOIN mysql.global_priv p ON p.user = u.user AND p.host = u.host ORDER BY u.user, u.host"""
)


_SEES_SESSIONS = (
    "GRANT SELECT (TYPE, PROCESSLIST_ID, PROCESSLIST_DB, CONNECTION_TYPE) ON performance_schema.threads TO {};"
)
_SETTINGS = SqlClause("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('require_secure_transport', 'performance_schema')")
_SESSIONS = SqlClause(
    """SELECT count(*), coalesce(sum(CONNECTION_TYPE <> 'SSL/TLS'), 0) FROM performance_schema.threads
    WHERE TYPE = 'FOREGROUND' AND PROCESSLIST_DB = DATABASE() AND CONNECTION_TYPE <> 'Socket'"""
)


def _sessions(connection: sa.Connection, *, ours: tuple[int, int]) -> NetworkSessions:
    """The sessions of all clients in this database; *ours* are those seen and those plain if others cannot be seen."""
    settings = dict(run(connection, _SETTINGS))
    is_required = settings.get("require_secure_transport") == "ON"
    if settings.get("performance_schema") != "ON":
        why = "only our own connection was seen; start the server with performance_schema = ON, and then "
        return NetworkSessions(*ours, why + _SEES_SESSIONS.format("..."), is_required)
    try:
        [(seen, plain)] = run(connection, _SESSIONS)
    except sa.exc.DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in _UNSEEN:
            raise
        why = "only our own connection was seen; this shows the others: "
        return NetworkSessions(*ours, why + _SEES_SESSIONS.format("..."), is_required)
    return NetworkSessions(int(seen), int(plain), is_required=is_required)


def _check_accounts_readable(connection: sa.Connection) -> None:
    try:
        run(connection, SqlClause("SELECT 1 FROM mysql.user JOIN mysql.global_priv JOIN mysql.db LIMIT 0"))
        return
    except sa.exc.DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in _REFUSED:
            raise
    needed = " ".join(f"GRANT SELECT ON mysql.{table} TO ...;" for table in _ACCOUNT_TABLES)
    raise Declined(f"this account cannot read the tables that list who has access; it needs: {needed}")


def _exactly(expression: str) -> str:
    return f"CONVERT({expression} USING utf8mb4) COLLATE utf8mb4_nopad_bin"


def _in(names: Sequence[str], marks: Sequence[str], rows: int) -> str:
    if len(names) == 1:
        return f"{names[0]} IN ({', '.join([marks[0]] * rows)})"
    return f"({', '.join(names)}) IN ({', '.join(['(' + ', '.join(marks) + ')'] * rows)})"


def _fit(value: Scalar | ValueMismatch) -> Any:
    if isinstance(value, dt.datetime):
        return naive_utc(value)
    return str(value) if hasattr(value, "hex") and hasattr(value, "urn") else value


def _time(text: str) -> Any:
    """A time of day; MariaDB's TIME also holds durations, which remain text."""
    return convert_time(text)


def _column(
    name: str,
    data_type: str,
    native: str,
    nullable: int,
    length: int | None,
    generated: int,
    comment: str,
    filled: int,
    *,
    is_json: bool,
) -> Column:
    kind = _KINDS.get(data_type, ColumnKind.OTHER)
    if native == "tinyint(1)":
        kind = ColumnKind.BOOLEAN
    if is_json:
        kind = ColumnKind.JSON
    bounded = length if data_type in {"char", "varchar", "binary", "varbinary", "tinytext", "text", "blob"} else None
    return Column(name, kind, native, bool(nullable), bounded, bool(generated), comment or None, bool(filled))


def _table(
    name: str,
    facts: tuple[Any, ...],
    columns: Sequence[Column],
    indexes: Mapping[str, tuple[list[str], bool]],
    references: Iterable[ForeignKey],
) -> TableSchema:
    kind, _, rows, comment = facts
    required = {column.name for column in columns if not column.nullable}
    primary = tuple(indexes["PRIMARY"][0]) if "PRIMARY" in indexes else ()
    unique = tuple(tuple(names) for index, (names, is_unique) in indexes.items() if is_unique and index != "PRIMARY")
    return TableSchema(
        name,
        tuple(columns),
        key=primary or next((names for names in unique if required.issuperset(names)), ()),
        foreign_keys=tuple(references),
        unique=unique,
        indexes=tuple(tuple(names) for names, _ in indexes.values()),
        kind=TableKind.VIEW if kind == "VIEW" else TableKind.TABLE,
        rows_estimate=rows,
        comment=comment if comment and comment != "VIEW" else None,
    )


def _refusal(facts: tuple[Any, ...]) -> str | None:
    kind, engine, *_ = facts
    if kind == "VIEW":
        return "it is a view"
    if engine != "InnoDB":
        return f"its engine {engine} has no transactions; convert it with ALTER TABLE ... ENGINE = InnoDB"
    return None


def _like(pattern: str, database: str) -> bool:
    """Whether a grant's database name, with its % and _ and \\-escapes, matches this database."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(wild.get(part, re.escape(part[-1])) for part in parts), database, re.IGNORECASE))


def _plainly_quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
