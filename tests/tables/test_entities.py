"""Entities: found by form, checksum and name; fakes with right checksums that nobody has; consistent, never the source's."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.cli import main
from understudy.errors import RecipeError, UsageError
from understudy.key import Key
from understudy.tables import fit, load
from understudy.tables.detect import detect
from understudy.tables.entities import KINDS, entity, fake
from understudy.tables.entities.checksums import iban_holds, luhn_holds
from understudy.tables.entities.freetext import Span, finder
from understudy.tables.entities.siphash import siphash
from understudy.tables.entities.strip import strip
from understudy.tables.schema import Column, Schema, from_plain
from understudy.tables.source import Tables

N = 400
WORDS = Key(4).words(2 * N).reshape(N, 2)
IBANS = ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"]
CARDS = ["4111111111111111", "5500005555555559", "378282246310005", "6011000990139424"]


@pytest.mark.parametrize("text", IBANS)
def test_iban_check_known_numbers(text):
    assert iban_holds(text) and not iban_holds(text[:-1] + ("1" if text[-1] != "1" else "2")) and not iban_holds("DE12")


@pytest.mark.parametrize("text", CARDS)
def test_luhn_check_known_numbers(text):
    assert luhn_holds(text) and not luhn_holds(text[:-1] + str((int(text[-1]) + 1) % 10))


@pytest.mark.parametrize(
    ("texts", "name", "kind"),
    [
        (["a@b.org", "x.y@z.com"], "c", "email"),
        (IBANS, "c", "iban"),
        (CARDS, "c", "card"),
        (["123-45-6789", "078-05-1120"], "c", "ssn"),
        (["+49 30 123456", "+1 212 555 0100"], "c", "phone"),
        (["030 123456", "089-555-123"], "home_phone", "phone"),
        (["030 123456", "089-555-123"], "part", ""),
        (["Ann Lee", "Bo O'Neil"], "customer_name", "name"),
        (["Ann", "Zoë"], "first_name", "first_name"),
        (["Lee", "Müller-Lund"], "surname", "last_name"),
        (["red", "blue"], "colour", ""),
        (["1", "2"], "name", ""),
        (["4111111111111112", "5500005555555558"], "c", ""),
        ([], "name", ""),
    ],
)
def test_columns_are_told(texts, name, kind):
    assert entity(texts, name) == kind


OUTSIDE = {
    "email": r"[a-z]+\.[a-z]+\d+@example\.(com|net|org)",
    "iban": r"QZ\d{20}",
    "card": r"9999\d{12}",
    "ssn": r"9\d\d-0[1-9]-\d{4}",
    "phone": r"\+999 \d{9}",
    "first_name": r"[A-Z][a-z]+",
    "last_name": r"[A-Z][a-z]+",
    "name": r"[A-Z][a-z]+ [A-Z][a-z]+",
}


@pytest.mark.parametrize("kind", KINDS)
def test_fakes_lie_outside_what_is_issued_and_check(kind):
    made = fake(kind, WORDS)
    assert all(re.fullmatch(OUTSIDE[kind], t) for t in made) and len(set(made)) > (20 if kind == "first_name" else N * 0.9)
    if kind in ("iban", "card"):
        assert all(map(iban_holds if kind == "iban" else luhn_holds, made))
    assert entity(made.tolist(), kind) == kind


@pytest.mark.parametrize("like", ["DE:22", "QZ:27"])
def test_forms_are_kept(like):
    made = fake("iban", WORDS, like)
    assert all(iban_holds(t) and len(t) == int(like[3:]) and t[:2] == like[:2] for t in made)
    assert all(t[4] == "9" for t in made) or like[:2] != "DE"  # no German bank code begins with 9
    for length in (13, 15, 19):
        assert all(luhn_holds(t) and len(t) == length and t.startswith("9999") for t in fake("card", WORDS, str(length)))
    assert all(re.fullmatch(r"\([2-9]\d\d\) 555-01\d\d", t) for t in fake("phone", WORDS, "nanp"))


def test_one_person_in_all_kinds():
    name, first, last, mail = (fake(kind, WORDS) for kind in ("name", "first_name", "last_name", "email"))
    for n, f, l_, m in zip(name, first, last, mail):
        assert n == f"{f} {l_}" and m.startswith(f"{f}.{l_}".lower())


@pytest.fixture(scope="module")
def clients():
    rows = Key(8).words(2 * N).reshape(N, 2)
    who = (Key(9).uniforms(N) * 300).astype(int)  # some come twice
    names = np.char.add("Real Person", np.array([chr(97 + i // 26) + chr(97 + i % 26) for i in range(300)]))[who]
    mails = np.char.add(np.char.add("p", who.astype(str)), "@bank.real")
    return pa.table({"name": names, "email": mails, "card": fake("card", rows), "age": 20 + (who % 50)})


def test_made_rows_hold_fakes_that_agree(clients, tmp_path):
    schemas, _ = detect(Tables({"clients": clients}))
    assert [schemas["clients"].columns[c].entity for c in clients.column_names] == ["name", "email", "card", ""]
    model = fit({"clients": clients})
    model.save(tmp_path / "m")
    made = load(tmp_path / "m").sample(1000)["clients"]
    for name, mail, card in zip(*(made[c].to_pylist() for c in ("name", "email", "card"))):
        assert mail.startswith(name.replace(" ", ".").lower()) and luhn_holds(card)
    for column in ("name", "email", "card"):
        assert not set(made[column].to_pylist()) & set(clients[column].to_pylist())
        assert "bank.real" not in (tmp_path / "m").read_bytes().decode("latin1")


def test_stripped_tables_are_consistent_and_secret(clients):
    tables = {"a": clients, "b": clients.slice(100, 200)}
    schemas, _ = detect(Tables(tables))
    done = strip(tables, schemas)
    for column in ("name", "email", "card"):
        real, own = clients[column].to_pylist(), done["a"][column].to_pylist()
        assert not set(real) & set(own)
        assert len(set(zip(real, own))) == len(set(real))  # one fake a value
        assert done["b"][column].to_pylist() == own[100:300]  # the same one in every table
    assert len(set(done["a"]["name"].to_pylist())) >= 0.98 * len(set(clients["name"].to_pylist()))
    assert all(
        m.startswith(n.replace(" ", ".").lower())
        for n, m in zip(done["a"]["name"].to_pylist(), done["a"]["email"].to_pylist())
    )
    assert done["a"]["age"].equals(clients["age"])
    assert strip(tables, schemas)["a"]["name"] != done["a"]["name"]  # another key, another map
    assert strip(tables, schemas, secret=b"k" * 32)["a"].equals(strip(tables, schemas, secret=b"k" * 32)["a"])


def test_a_fake_that_is_a_source_value_is_drawn_again():
    first = strip(
        {"t": pa.table({"card": CARDS * 5})}, detect(Tables({"t": pa.table({"card": CARDS * 5})}))[0], secret=b"s" * 32
    )
    taken = [*CARDS, *set(first["t"]["card"].to_pylist())]
    table = pa.table({"card": taken * 5})
    again = strip({"t": table}, detect(Tables({"t": table}))[0], secret=b"s" * 32)["t"]["card"].to_pylist()
    assert not set(again) & set(taken)


def test_strip_command(clients, tmp_path, capsys):
    source, out = tmp_path / "clients.csv", tmp_path / "out.csv"
    pc.write_csv(clients, source)
    assert main(["table", "strip", str(source), "-o", str(out)]) == 0
    assert "name, email, card" in capsys.readouterr().out
    text = out.read_text()
    assert "Real Person" not in text and "bank.real" not in text and pc.read_csv(out).num_rows == N
    source.write_text("x,y\n1,2\n3,4\n")
    assert main(["table", "strip", str(source), "-o", str(out)]) == 2


def reference_siphash(text: bytes, key: bytes) -> tuple[int, int]:
    """SipHash-2-4-128 as its authors wrote it, byte by byte."""
    mask = 2**64 - 1
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x: int, bits: int) -> int:
        return (x << bits | x >> (64 - bits)) & mask

    def rounds(n: int) -> None:
        for _ in range(n):
            v[0] = (v[0] + v[1]) & mask
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & mask
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & mask
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & mask
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) & 255])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first, v[0] ^ v[1] ^ v[2] ^ v[3]


def test_siphash_known_answers():
    """The authors' vectors: key 00 .. 0f, messages of 0 and 15 bytes 00 .. 0e."""
    found = siphash(pa.array(["", bytes(range(15)).decode()]), bytes(range(16)))
    assert found[0].tobytes().hex() == "a3817f04ba25a8e66df67214c7550293"
    assert found[1].tobytes().hex() == "5493e99933b0a8117e08ec0f97cfc3d9"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.text(max_size=40) | st.text(min_size=250, max_size=300), max_size=12), st.integers(0, 3))
def test_siphash_of_many_is_siphash_of_each(texts, start):
    column = pa.array(texts, pa.string()).slice(start)
    found = siphash(column, b"sixteen bytes ..")
    own = [reference_siphash((t or "").encode(), b"sixteen bytes ..") for t in column.to_pylist()]
    assert found.tolist() == [list(pair) for pair in own]


def test_two_people_of_one_name_have_two_addresses():
    table = pa.table({"name": ["Ann Lee"] * 3 + [None], "email": ["a@b.org", "c@d.org", "A@b.org ", "e@f.org"]})
    schema = Schema({"name": Column("identifier", entity="name"), "email": Column("identifier", entity="email")})
    done = strip({"t": table}, {"t": schema})["t"]
    mails = done["email"].to_pylist()
    assert mails[0] != mails[1] and mails[0] == mails[2]  # case and space around make no other person
    assert done["name"].to_pylist()[3] is None and re.fullmatch(OUTSIDE["email"], mails[3])


def test_names_beyond_ascii_are_told_apart():
    names = ["Zoë Müller", "zoë müller", "ZOË MÜLLER", "Zoe Muller", "Weiß", "WEISS", "Straße", ""]
    schema = Schema({"name": Column("identifier", entity="name")})
    done = strip({"t": pa.table({"name": names})}, {"t": schema})["t"]["name"].to_pylist()
    assert done[0] == done[1] == done[2] != done[3] and done[4] == done[5]


def test_an_unknown_entity_in_a_schema():
    with pytest.raises(RecipeError, match="no fakes are made of this"):
        from_plain({"tables": {"t": {"columns": {"a": {"kind": "identifier", "entity": "soul"}}}}})


TEXTS = [
    "Mail jane.doe@acme.com or call +1 212 555 0147 about card 4111 1111 1111 1111.",
    "IBAN DE89370400440532013000, and again jane.doe@acme.com",
    "Nothing of the kind in this text.",
    None,
]
SECRETS = ("jane.doe@acme.com", "212 555", "4111 1111", "DE8937")


def stripped_text(find) -> list[str | None]:
    table = pa.table({"note": TEXTS, "mail": ["jane.doe@acme.com", "a@b.org", "c@d.org", None]})
    schema = Schema({"note": Column("text"), "mail": Column("identifier", entity="email")})
    done = strip({"t": table}, {"t": schema}, find=find)["t"]
    notes = done["note"].to_pylist()
    fake = done["mail"][0].as_py()
    assert fake in notes[0] and fake in notes[1]  # the same person is the same fake, in texts and in columns
    assert notes[2:] == TEXTS[2:]
    return notes


def test_free_text_with_a_finder_of_ones_own():
    def find(text: str) -> list[Span]:
        return [Span(m.start(), m.end(), "email") for m in re.finditer(r"\S+@\S+\.com", text)]

    notes = stripped_text(find)
    assert notes[0].endswith("about card 4111 1111 1111 1111.")
    assert notes[1].startswith("IBAN DE89370400440532013000, and again ")


def test_free_text_with_presidio():
    """Patterns and checksums alone: no language model is at hand."""
    pytest.importorskip("presidio_analyzer")
    notes = stripped_text(finder())
    assert not [s for s in SECRETS for note in notes[:2] if s in note]
    assert notes[0].startswith("Mail ") and notes[1].startswith("IBAN ")
    with pytest.raises(UsageError, match="no such language model"):
        finder("no_such_model")
