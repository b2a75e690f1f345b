"""PostgreSQL, by psycopg 3. Sets of values are passed as arrays: one parameter per column, whatever their number.

Limits are set when a connection opens (`options`), so that they cost no statement. Times with a zone are returned in
UTC, those without unchanged. Types without a Python scalar (JSON, arrays, enums, ranges...) are returned as text.
"""

# ruff: noqa: S608 -- SQL is composed here: names are quoted, values are parameters

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import AdaptersMap
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader

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


class PostgreSQL(Dialect):
    name = "postgresql"
    driver = "postgresql+psycopg"
    extra = "postgresql"
    values_max = 1_000_000
    snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    # --- connecting -----------------------------------------------------------------------------------------------

    def engine(self, limits: StoreLimits, *, read_only: bool) -> sa.Engine:
        settings = {
            "statement_timeout": f"{limits.statement_s * 1000:.0f}",
            "lock_timeout": f"{limits.lock_s * 1000:.0f}",
            "timezone": "UTC",
            "row_security": "off",  # a policy that hides rows from us is an error, never a shorter result
            "default_transaction_read_only": "on" if read_only else "off",
        }
        given = self.url.query.get("options", "")
        options = " ".join([str(given), *(f"-c {name}={value}" for name, value in settings.items())])
        return self._engine(
            self.url,
            read_only=read_only,
            connect_args={
                "application_name": "troth",
                "connect_timeout": max(1, round(limits.connect_s)),
                "context": _ADAPTERS,
                "options": options.strip(),
                "prepare_threshold": None,  # a connection pooler would lose prepared statements
                "tcp_user_timeout": int((limits.statement_s + limits.connect_s) * 1000),
            },
            isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
            use_native_hstore=False,
        )

    def fault(self, error: BaseException) -> DriverFault:
        state = getattr(error, "sqlstate", None) or ""
        if state in {"40001", "40P01", "55P03", "57014"}:
            return BUSY
        if state in {"42P01", "42703"}:
            return CHANGED
        if state.startswith("23") or state in _UNWRITABLE:
            return conflict(_constraint(error))
        if state.startswith(("08", "57P", "53")):
            return LOST
        if state.startswith(("28", "42501")) or state in {"3D000", "25006"}:
            return refused(_REFUSALS.get(state, "the server refuses this account, password, database or statement"))
        if isinstance(error, psycopg.DataError):
            return conflict("a value does not fit its column")
        if not state and isinstance(error, psycopg.OperationalError):
            said = str(error)  # a refused login has no code of its own; its text is only searched, never repeated
            is_refusal = "FATAL" in said and not any(words in said for words in _COMES_BACK)
            return refused(_REFUSALS["28P01"]) if is_refusal else LOST
        return other(error, state)

    # --- reading --------------------------------------------------------------------------------------------------

    def describe(self, connection: sa.Connection) -> dict[str, SqlTable]:
        relations = {row[0]: row for row in run(connection, _RELATIONS)}
        names = _names(relations.values())
        columns: dict[int, dict[int, tuple[Column, str]]] = defaultdict(dict)
        for oid, number, *facts in run(connection, _COLUMNS):
            columns[oid][number] = _column(self.quote, *facts)
        indexes: dict[int, list[tuple[tuple[str, ...], bool, bool]]] = defaultdict(list)
        for oid, numbers, is_primary, is_unique in run(connection, _INDEXES):
            if oid in names and all(number in columns[oid] for number in numbers):
                indexes[oid].append((_called(columns[oid], numbers), is_primary, is_unique))
        references: dict[int, list[ForeignKey]] = defaultdict(list)
        for oid, ours, target, theirs, rule in run(connection, _REFERENCES):
            if oid in names and target in names:
                both = _called(columns[oid], ours), _called(columns[target], theirs)
                references[oid].append(ForeignKey(both[0], names[target], both[1], _RULES[rule]))
        return {
            names[oid]: SqlTable(
                _table(
                    names[oid], relation, [column for column, _ in columns[oid].values()], indexes[oid], references[oid]
                ),
                f"{self.quote(relation[1])}.{self.quote(relation[2])}",
                {column.name: trait for column, trait in columns[oid].values()},
                {"v": "it is a view", "m": "it is a materialised view: refresh it", "f": "it is a foreign table"}.get(
                    relation[3]
                ),
            )
            for oid, relation in relations.items()
        }

    def principals(self, connection: sa.Connection, tables: Mapping[str, SqlTable]) -> list[Principal]:
        names = _names(run(connection, _RELATIONS))
        roles = {row[0]: row[1:] for row in run(connection, _ROLES)}
        reach: dict[int, tuple[set[str], set[str]]] = {oid: (set(), set()) for oid in roles}
        direct: dict[int, bool] = dict.fromkeys(roles, False)
        for role, table, reads, writes, is_owner, is_granted in run(connection, _PRIVILEGES):
            direct[role] |= is_owner or is_granted
            if table in names:
                reach[role][0].update([names[table]] if reads else [])
                reach[role][1].update([names[table]] if writes else [])
        becomes: dict[int, set[int]] = defaultdict(set)
        for member, group in run(connection, _MEMBERSHIPS):
            becomes[member].add(group)
        found = []
        for oid, (name, can_login, is_super, is_builtin) in roles.items():
            closure = closure_of(oid, becomes)
            reads = frozenset().union(*(reach[group][0] for group in closure if group in reach))
            writes = frozenset().union(*(reach[group][1] for group in closure if group in reach))
            if (reads or writes) and not is_builtin:
                groups = sorted(
                    str(roles[group][0]) for group in closure - {oid} if group in roles and any(reach[group])
                )
                why = "superuser" if is_super else "owner or granted" if direct[oid] else "PUBLIC"
                why = f"member of {', '.join(groups)}" if groups and why == "PUBLIC" else why
                found.append(Principal(name, can_login, reads, writes, why))
        return found

    def transport(self, connection: sa.Connection) -> TransportSecurity:
        [(encrypted, version, cipher, by_gss, is_local)] = run(connection, _OUR_SESSION)
        [(seen, plain, hidden)] = run(connection, _SESSIONS)
        [(can_read_rules,)] = run(connection, _CAN_READ_RULES)
        # The rules are those of the file, which may not be loaded yet, so they excuse no session that we cannot see.
        is_required = not hidden and can_read_rules and run(connection, _ADMITS_PLAIN) == [(0,)]
        sessions = NetworkSessions(seen, plain, _HIDDEN.format(hidden) if hidden else "", bool(is_required))
        if is_local:
            return TransportSecurity(encrypted=True, detail="local socket", is_local=True, sessions=sessions)
        how = f"{version} {cipher}" if encrypted else "GSSAPI" if by_gss else "not encrypted"
        return TransportSecurity(bool(encrypted or by_gss), how, sessions=sessions)

    def grants(self, tables: Mapping[str, SqlTable], role: str, access: Sequence[RequiredGrants]) -> str:
        who = _plainly_quoted(role)
        places = {one.table: tables[one.table].quoted.replace("%%", "%") for one in access}
        schemas = sorted({found[0] for place in places.values() if (found := re.match(r'"(?:[^"]|"")*"', place))})
        lines = [
            "-- What this role needs in this database, and nothing else. It cannot log in until you have run, in psql:",
            f"-- \\password {who}",
            f"CREATE ROLE {who} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;",
            *(f"GRANT USAGE ON SCHEMA {schema} TO {who};" for schema in schemas),
        ]
        for one in access:
            columns = ", ".join(_plainly_quoted(name) for name in one.amends)
            lines.append(f"GRANT {verbs(one, columns)} ON {places[one.table]} TO {who};")
        lines += [
            "-- Only if the control of encrypted connections is to see those of other accounts. It then also sees the",
            "-- statements that they run:",
            f"-- ALTER ROLE {who} INHERIT; GRANT pg_read_all_stats TO {who};",
        ]
        return "\n".join(lines) + "\n"

    # --- writing SQL ----------------------------------------------------------------------------------------------

    def shown(self, table: SqlTable, column: str) -> str:
        if table.column(column).kind is ColumnKind.ARRAY:
            return f"array_to_json({self.quote(column)})::text"
        return self.quote(column)

    def identity(self, table: SqlTable) -> tuple[str, ...]:
        if table.schema.key or table.schema.kind is TableKind.VIEW:
            return super().identity(table)
        return ("tableoid::text", "ctid::text")

    def matching(self, table: SqlTable, columns: Sequence[str], rows: Sequence[Row], *, fold: bool) -> SqlClause:
        if fold:
            words = [row[0] for row in rows]
            folded = f"lower({self.quote(columns[0])}::text) = ANY(ARRAY(SELECT lower(x) FROM unnest(%s::text[]) AS x))"
            return SqlClause(folded, (words,))
        sought = [self._compared(table, name) for name in columns]
        values = tuple(map(_array_of, zip(*rows, strict=True)))
        if len(columns) == 1:
            return SqlClause(f"{sought[0][0]} = ANY(%s::{sought[0][1]}[])", values)
        names, arrays = ", ".join(name for name, _ in sought), ", ".join(f"%s::{kind}[]" for _, kind in sought)
        return SqlClause(f"({names}) IN (SELECT * FROM unnest({arrays}))", values)

    def by_digits(self, table: SqlTable, column: Column, digits: Sequence[str]) -> SqlClause:
        held = f"regexp_replace({self.quote(column.name)}::text, '[^0-9]+', '', 'g')"
        return SqlClause(f"{held} = ANY(%s::text[])", (list(digits),))

    def before(self, table: SqlTable, column: Column, moment: dt.datetime) -> SqlClause:
        name = self.quote(column.name)
        if column.kind is ColumnKind.INTEGER:
            return self.epoch_before(column.name, moment, "%s")
        if column.kind is ColumnKind.DATE:
            return SqlClause(f"{name} < %s::date", (moment.date(),))
        if table.traits[column.name].endswith('"timestamptz"'):
            return SqlClause(f"{name} < %s::timestamptz", (moment,))
        return SqlClause(f"{name} < %s::timestamp", (naive_utc(moment),))

    def amending(
        self, table: SqlTable, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool
    ) -> SqlClause:
        sought = [self._compared(table, name, "t.") for name in key]
        sent = [_AS_TEXT.get(table.column(name).kind, table.traits[name]) for name in columns]
        new = [(name, f"v.c{n}::{table.traits[name]}") for n, name in enumerate(columns, len(key))]
        sets = ", ".join(f"{self.quote(name)} = {self.assigned(name, to, keep_nulls=keep_nulls)}" for name, to in new)
        arrays = ", ".join(f"%s::{kind}[]" for kind in [kind for _, kind in sought] + sent)
        fields = ", ".join(f"c{n}" for n in range(len(key) + len(columns)))
        on = " AND ".join(f"{name} = v.c{n}" for n, (name, _) in enumerate(sought))
        sql = f"UPDATE {table.quoted} AS t SET {sets} FROM unnest({arrays}) AS v({fields}) WHERE {on}"
        return SqlClause(sql, tuple(map(_array_of, zip(*rows, strict=True))))

    def sample(self, connection: sa.Connection, table: SqlTable, columns: Sequence[str], rows: int) -> list[Row]:
        estimate = table.schema.rows_estimate or 0
        if table.schema.kind is TableKind.VIEW or table.refusal == "it is a foreign table" or not estimate:
            return self.ends(connection, table, columns, rows)
        shown = ", ".join(self.shown(table, name) for name in columns)
        percent = min(100.0, 2000.0 * rows / estimate)  # whole pages: some 20 rows per requested row, shuffled
        sql = f"SELECT {shown} FROM {table.quoted} TABLESAMPLE SYSTEM (%s) ORDER BY random() LIMIT %s"
        found = run(connection, SqlClause(sql, (percent, rows)))
        return found if len(found) > rows // 2 else self.ends(connection, table, columns, rows)

    def sought(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        fit = fitted(column.kind, values)
        is_text = set(map(type, fit)) == {str} and "\x00" not in "".join(fit)  # type: ignore[arg-type]
        return fit if is_text else [_fit(column, value) for value in fit]

    def written(self, column: Column, values: Sequence[Scalar]) -> list[Scalar | ValueMismatch]:
        if column.kind is not ColumnKind.ARRAY:
            return self.sought(column, values)
        return [None if value is None else _array_text(value) for value in values]

    def _compared(self, table: SqlTable, name: str, prefix: str = "") -> tuple[str, str]:
        """A column, and the type of the values it is compared with. Types without equality are compared as text."""
        kind, quoted = table.column(name).kind, f"{prefix}{self.quote(name)}"
        if kind is ColumnKind.ARRAY:
            return f"array_to_json({quoted})::text", "text"
        return (f"{quoted}::text", "text") if kind in _AS_TEXT else (quoted, table.traits[name])


_AS_TEXT = dict.fromkeys((ColumnKind.JSON, ColumnKind.ARRAY, ColumnKind.OTHER), "text")
_UNWRITABLE = {
    "22001",
    "22003",
    "22007",
    "22008",
    "22021",
    "22P02",
    "22P03",
    "22P05",
    "428C9",
    "44000",
    "P0001",
    "22030",
}
_COMES_BACK = ("starting up", "shutting down", "recovery mode", "accepting connections", "too many", "connection slots")
"""Messages of a server that will accept connections later."""
_REFUSALS = {
    "28P01": NOT_LET_IN,
    "28000": "the server refuses this account from here; have its administrator add a line to pg_hba.conf",
    "3D000": "the server has no such database; check the name at the end of the URL",
    "25006": "the server accepts no changes (it is read-only, or a replica)",
    "42501": "the account lacks a privilege, or a row-level policy hides rows from it (it then needs BYPASSRLS); "
    "`troth.stores.grants` writes the script that gives privileges",
}
_RULES = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), ColumnKind.INTEGER),
    **dict.fromkeys(("numeric", "float4", "float8"), ColumnKind.NUMBER),
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "citext"), ColumnKind.TEXT),
    **dict.fromkeys(("timestamp", "timestamptz"), ColumnKind.DATETIME),
    **dict.fromkeys(("time", "timetz"), ColumnKind.TIME),
    **dict.fromkeys(("json", "jsonb"), ColumnKind.JSON),
    "bool": ColumnKind.BOOLEAN,
    "bytea": ColumnKind.BYTES,
    "date": ColumnKind.DATE,
    "uuid": ColumnKind.UUID,
}

_OURS = """c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"""
_RELATIONS = SqlClause(f"""
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_table_is_visible(c.oid), obj_description(c.oid, 'pg_class'),
    CASE c.relkind WHEN 'p' THEN (
        SELECT sum(l.reltuples) FILTER (WHERE l.reltuples >= 0)
        FROM pg_partition_tree(c.oid) p JOIN pg_class l ON l.oid = p.relid WHERE p.isleaf
    ) ELSE nullif(c.reltuples, -1) END::int8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}
ORDER BY pg_table_is_visible(c.oid) DESC, n.nspname, c.relname""")
_COLUMNS = SqlClause(f"""
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), b.typname, bn.nspname, b.typcategory,
    NOT (a.attnotnull OR t.typnotnull), CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END,
    a.attgenerated <> '' OR a.attidentity = 'a', col_description(a.attrelid, a.attnum),
    a.atthasdef OR a.attidentity <> ''
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
JOIN pg_namespace bn ON bn.oid = b.typnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND {_OURS} ORDER BY a.attrelid, a.attnum""")
_INDEXES = SqlClause(f"""
SELECT i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1], i.indisprimary, i.indisunique AND i.indimmediate
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indpred IS NULL AND i.indisvalid AND {_OURS} ORDER BY i.indrelid, i.indexrelid""")
_REFERENCES = SqlClause(
    """SELECT conrelid, conkey, confrelid, confkey, confdeltype FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 ORDER BY conrelid, oid"""
)
_ROLES = SqlClause(
    """SELECT oid, rolname, rolcanlogin AND has_database_privilege(oid, current_database(), 'CONNECT')
        AND coalesce(rolvaliduntil > now(), true), rolsuper, rolname ~ '^pg_' FROM pg_roles ORDER BY rolname"""
)
_PRIVILEGES = SqlClause(f"""
SELECT r.oid, c.oid, has_any_column_privilege(r.oid, c.oid, 'SELECT') AND u.usable,
    (has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE') OR has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE'))
        AND u.usable, c.relowner = r.oid,
    EXISTS (SELECT FROM aclexplode(c.relacl) g WHERE g.grantee = r.oid)
FROM pg_roles r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT has_schema_privilege(r.oid, n.oid, 'USAGE') AS usable) u
WHERE {_OURS}""")
_OUR_SESSION = SqlClause(
    """SELECT s.ssl, s.version, s.cipher, g.encrypted, inet_client_addr() IS NULL
    FROM pg_stat_ssl s LEFT JOIN pg_stat_gssapi g USING (pid) WHERE pid = pg_backend_pid()"""
)
# The server hides the kind and the address of sessions of other roles from us, but not that they are there.
_SESSIONS = SqlClause(
    """SELECT count(a.client_addr),
        count(*) FILTER (WHERE a.client_addr IS NOT NULL AND NOT coalesce(s.ssl OR g.encrypted, s.ssl, false)),
        count(*) FILTER (WHERE a.backend_type IS NULL AND a.usesysid IS NOT NULL)
    FROM pg_stat_activity a LEFT JOIN pg_stat_ssl s USING (pid) LEFT JOIN pg_stat_gssapi g USING (pid)
    WHERE a.datname = current_database() AND coalesce(a.backend_type, 'client backend') = 'client backend'"""
)
_HIDDEN = (
    "{} of its sessions belong to accounts that ours may not look at; this shows them, and also the statements that "
    "they run: ALTER ROLE ... INHERIT; GRANT pg_read_all_stats TO ...;"
)
_CAN_READ_RULES = SqlClause(
    """SELECT has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
        AND has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE')"""
)
_ADMITS_PLAIN = SqlClause(
    "SELECT count(*) FROM pg_hba_file_rules WHERE type NOT IN ('local', 'hostssl', 'hostgssenc') "
    "AND auth_method IS DISTINCT FROM 'reject'"
)
_MEMBERSHIPS = SqlClause("SELECT member, roleid FROM pg_auth_members")


def _names(relations: Collection[tuple[Any, ...]]) -> dict[int, str]:
    """The name of each relation in the declaration: bare if it is on the search path, ``schema.table`` elsewhere."""
    far = {f"{schema}.{name}" for _, schema, name, _, is_visible, *_ in relations if not is_visible}
    return {
        oid: name if is_visible and name not in far else f"{schema}.{name}"
        for oid, schema, name, _, is_visible, *_ in relations
    }


def _called(columns: Mapping[int, tuple[Column, str]], numbers: Sequence[int]) -> tuple[str, ...]:
    return tuple(columns[number][0].name for number in numbers)


def _column(
    quote: Callable[[str], str],
    name: str,
    native: str,
    base: str,
    base_schema: str,
    category: str,
    nullable: bool,
    modifier: int,
    generated: bool,
    comment: str | None,
    filled: bool,
) -> tuple[Column, str]:
    """A column, and the type that its values are cast to."""
    kind = ColumnKind.ARRAY if category == "A" else _KINDS.get(base, ColumnKind.OTHER)
    length = modifier - 4 if base in {"varchar", "bpchar"} and modifier > 4 else None
    # Integers are cast to the widest type: one that is too large for the column then matches nothing.
    cast = "int8" if base in {"int2", "int4"} else f"{quote(base_schema)}.{quote(base)}"
    return Column(name, kind, native, nullable, length, generated, comment, filled), cast


def _table(
    name: str,
    relation: Row,
    columns: Sequence[Column],
    indexes: Sequence[tuple[tuple[str, ...], bool, bool]],
    references: Sequence[ForeignKey],
) -> TableSchema:
    kinds = {"v": TableKind.VIEW, "m": TableKind.MATERIALISED}
    required = {column.name for column in columns if not column.nullable}
    primary = next((names for names, is_primary, _ in indexes if is_primary), ())
    unique = tuple(names for names, is_primary, is_unique in indexes if is_unique and not is_primary)
    *_, comment, estimate = relation
    return TableSchema(
        name,
        tuple(columns),
        key=primary or next((names for names in unique if required.issuperset(names)), ()),
        foreign_keys=tuple(references),
        unique=unique,
        indexes=tuple(names for names, _, _ in indexes),
        kind=kinds.get(str(relation[3]), TableKind.TABLE),
        rows_estimate=None if estimate is None else int(str(estimate)),
        comment=None if comment is None else str(comment),
    )


def _constraint(error: BaseException) -> str:
    """Names of the schema that the server sent separately from its text."""
    told = getattr(error, "diag", None)
    names = {
        "table": getattr(told, "table_name", None),
        "column": getattr(told, "column_name", None),
        "constraint": getattr(told, "constraint_name", None),
    }
    where = ", ".join(f"{word} {name}" for word, name in names.items() if name)
    return f"a constraint forbids it: {where}" if where else "a value does not fit its column, or a trigger refuses it"


def _plainly_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fit(column: Column, value: Scalar | ValueMismatch) -> Scalar | ValueMismatch:
    if isinstance(value, str) and "\x00" in value:
        return ValueMismatch()  # PostgreSQL text cannot contain NUL
    if isinstance(value, int) and value >= 2**63:
        return ValueMismatch()
    if isinstance(value, dt.datetime):
        naive = naive_utc(value)
        return naive.replace(tzinfo=dt.UTC) if "with time zone" in column.native else naive
    if column.kind is ColumnKind.NUMBER and isinstance(value, int | float | decimal.Decimal):
        is_float = column.native in {"real", "double precision"}
        return float(value) if is_float else decimal.Decimal(str(value))  # psycopg requires arrays of one type
    return value


def _array_of(values: Sequence[Scalar]) -> object:
    """The values as a parameter: the text of an array where all are whole numbers, or text without NUL, because psycopg
    takes about ten times as long to write it."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return "{" + ",".join(map(str, values)) + "}"
    text = "\x00".join(values) if kinds == {str} else ""  # type: ignore[arg-type]
    if text.count("\x00") == len(values) - 1 and kinds == {str}:
        if "\\" in text or '"' in text:
            text = text.replace("\\", "\\\\").replace('"', '\\"')
        return '{"' + text.replace("\x00", '","') + '"}'
    return list(values)


def _array_text(value: Scalar) -> Scalar | ValueMismatch:
    """The PostgreSQL array literal for an array given as JSON text."""
    try:
        return _array(json.loads(str(value)))
    except (ValueError, RecursionError):
        return ValueMismatch()


def _array(items: object) -> str:
    if isinstance(items, list):
        return "{" + ",".join(_array(item) for item in items) + "}"
    if items is None:
        return "NULL"
    text = items if isinstance(items, str) else json.dumps(items)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lenient(loader: type[Any]) -> type[Any]:
    """A loader that returns text for values outside of Python's range: infinity, years before 1 and after 9999."""

    class Lenient(loader):  # type: ignore[misc]
        def load(self, data: Any) -> Any:
            try:
                return super().load(data)
            except (psycopg.DataError, ValueError):
                return bytes(data).decode()

    return Lenient


def _adapters() -> AdaptersMap:
    """psycopg's own adapters, but text for every type that has no `Scalar`."""
    adapters = AdaptersMap(psycopg.adapters)
    for known in psycopg.adapters.types:
        if known.name not in _KINDS or known.name in {"json", "jsonb"}:
            adapters.register_loader(known.oid, TextLoader)
    for name, loader in (("date", DateLoader), ("timestamp", TimestampLoader), ("timestamptz", TimestamptzLoader)):
        adapters.register_loader(name, _lenient(loader))
    return adapters


_ADAPTERS = _adapters()
