#!/usr/bin/env python3
"""The peers of the bench: other programs that answer the same question in clear.

    peers.py PEER FILE ROSTER THREADS

FILE is the institution's export (姓名,证件号码,账号,余额,日期), ROSTER a CSV (person,number). Prints one line
of JSON: the seconds from the file to the result, who was found (people, rows, and the sum of their amounts
in fen), the most memory this process has held, and the program's version. Loading the roster is not timed,
as unlocking it is not timed for ours. A process of its own for each call, so that memory is its own.

Each peer is written as its own documentation would have it, and in the fastest way that gives exact sums.
"""

import json
import os
import sys
import time

NUMBER, AMOUNT = "证件号码", "余额"
COLUMNS = ["姓名", NUMBER, "账号", AMOUNT, "日期"]


def duckdb(file, roster, threads):
    """Parallel read_csv with known columns, of which it parses those the query needs."""
    import duckdb

    db = duckdb.connect()
    db.execute(f"SET threads = {threads}")
    db.execute(
        "CREATE TABLE roster AS SELECT * FROM read_csv(?, header = true, "
        "columns = {'person': 'INTEGER', 'number': 'VARCHAR'})",
        [roster],
    )
    types = {column: "DECIMAL(18,2)" if column == AMOUNT else "VARCHAR" for column in COLUMNS}
    query = f"""
        SELECT person, count(*), CAST(sum({AMOUNT}) * 100 AS BIGINT)
        FROM read_csv(?, auto_detect = false, header = true, delim = ',', quote = '"', columns = {types})
        JOIN roster ON number = {NUMBER} GROUP BY person
    """
    begun = time.perf_counter()
    people = db.execute(query, [file]).fetchall()
    return begun, people, duckdb.__version__


def polars(file, roster, threads):
    """A lazy scan by the streaming engine, which is the faster and smaller of the two."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    assert pl.thread_pool_size() == threads
    people = pl.read_csv(roster, schema={"person": pl.Int32, "number": pl.String})
    types = {column: pl.Decimal(18, 2) if column == AMOUNT else pl.String for column in COLUMNS}
    begun = time.perf_counter()
    query = (
        pl.scan_csv(file, schema=types)
        .join(people.lazy(), left_on=NUMBER, right_on="number")
        .group_by("person")
        .agg(pl.len(), pl.col(AMOUNT).sum())
    )
    rows = query.collect(engine="streaming").rows()
    return begun, [(person, count, int(amount * 100)) for person, count, amount in rows], pl.__version__


def python(file, roster, threads):
    """The csv module and an HMAC for each row: the keyed comparison as a script would do it."""
    import csv
    import hmac

    assert threads == 1
    key = bytes(range(32))
    with open(roster, encoding="utf-8", newline="") as lines:
        people = {hmac.digest(key, number.encode(), "sha256"): person for person, number in csv.reader(lines)}
    found = {}
    begun = time.perf_counter()
    with open(file, encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for _, number, _, amount, _ in rows:
            person = people.get(hmac.digest(key, number.encode(), "sha256"))
            if person is not None:
                count, fen = found.get(person, (0, 0))
                found[person] = (count + 1, fen + int(amount.replace(".", "")))
    return begun, [(person, *sums) for person, sums in found.items()], ".".join(map(str, sys.version_info[:3]))


def peak_bytes():
    """Not by getrusage, whose maximum a process takes over from the one that started it."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def main():
    peer, file, roster, threads = sys.argv[1:]
    run = {"duckdb": duckdb, "polars": polars, "python": python}[peer]
    begun, people, version = run(file, roster, int(threads))
    seconds = time.perf_counter() - begun
    print(
        json.dumps(
            {
                "seconds": seconds,
                "people": len(people),
                "hits": sum(count for _, count, _ in people),
                "fen": sum(fen for _, _, fen in people),
                "peak_bytes": peak_bytes(),
                "version": version,
            }
        )
    )


if __name__ == "__main__":
    main()
