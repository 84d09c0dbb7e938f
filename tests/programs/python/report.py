"""Uses much of the standard library on data that never changes; the output is compared octet by octet."""

import base64
import bz2
import collections
import csv
import dataclasses
import datetime
import decimal
import difflib
import fractions
import hashlib
import hmac
import io
import itertools
import json
import pathlib
import re
import sqlite3
import statistics
import struct
import sys
import tempfile
import textwrap
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib

TEXT = pathlib.Path("/data/text.txt").read_text(encoding="utf-8")


@dataclasses.dataclass(order=True)
class Word:
    count: int
    text: str


def show(name, value):
    print(f"{name}: {value}")


def words():
    counts = collections.Counter(re.findall(r"[a-zé]+", TEXT.lower()))
    return sorted((Word(-count, text) for text, count in counts.items()))[:4]


def database():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table word (text text primary key, length integer)")
    rows = {(text, len(text)) for text in re.findall(r"\w+", TEXT.lower())}
    connection.executemany("insert into word values (?, ?)", sorted(rows))
    query = "select length, count(*), group_concat(text) from word where length > 6 group by length order by length"
    return connection.execute(query).fetchall()


def archive():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = pathlib.Path(folder) / "text.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("text.txt", TEXT * 100)
        with zipfile.ZipFile(path) as source:
            return source.testzip(), len(source.read("text.txt")), path.stat().st_size < len(TEXT) * 10


def table():
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["name", "value"], lineterminator="\n")
    writer.writeheader()
    writer.writerow({"name": 'a "quoted", name', "value": 1})
    return list(csv.reader(io.StringIO(buffer.getvalue())))


def main():
    show("version", sys.version.split()[0])
    show("arguments", sys.argv[1:])
    show("json", json.dumps(json.loads('{"b": [1, 2.5, null], "a": "\\u00e9"}'), sort_keys=True))
    show("words", [(word.text, -word.count) for word in words()])
    show("sha256", hashlib.sha256(TEXT.encode()).hexdigest())
    show("hmac", hmac.new(b"key", TEXT.encode(), "sha512").hexdigest()[:32])
    show("crc32", zlib.crc32(TEXT.encode()))
    show("bz2", bz2.decompress(bz2.compress(TEXT.encode())) == TEXT.encode())
    show("date", (datetime.date(2024, 2, 29) + datetime.timedelta(days=366)).isoformat())
    show("decimal", decimal.Decimal(2).sqrt(decimal.Context(prec=40)))
    show("fractions", sum(fractions.Fraction(1, n) for n in range(1, 11)))
    show("statistics", statistics.pstdev([2, 4, 4, 4, 5, 5, 7, 9]))
    show("itertools", ["".join(p) for p in itertools.permutations("abc", 2)])
    show("struct", base64.b16encode(struct.pack(">HIq", 1, 2, -3)).decode())
    show("big", pow(3, 1000, 10**40))
    show("xml", [item.get("id") for item in ElementTree.fromstring("<l><i id='1'/><i id='2'/></l>")])
    show("difflib", difflib.get_close_matches("donjn", ["donjon", "dungeon", "keep"]))
    show("textwrap", textwrap.shorten(TEXT, 40))
    show("csv", table())
    show("sqlite3", database())
    show("zipfile", archive())
    pathlib.Path("/out/summary.json").write_text(json.dumps({"length": len(TEXT)}))
    print("an error line", file=sys.stderr)
    sys.exit(7)


main()
