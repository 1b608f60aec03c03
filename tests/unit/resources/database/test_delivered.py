"""What was delivered is found by words and by bands, in other data sets only, and replaced as a whole."""

import random
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from tip_resources.database.delivered import DeliveredIndex
from tip_resources.database.migrate import migrate
from tip_resources.domain.sketch import CallSketch


def sketch(id: str, words: str, keys: tuple[int, ...] = (), body: bytes = b"\x01body") -> CallSketch:
    bands = struct.pack(f"<{len(keys)}q", *keys)
    return CallSketch(id=id, exact=f"exact {words}", normalized=words, bands=bands, body=body)


def found(index: DeliveredIndex, *sketches: CallSketch) -> dict[str, list[tuple[str, str]]]:
    """Data set and id of what is near each sketch."""
    return {id: [(row.dataset, row.id) for row in rows] for id, rows in index.near(sketches).items()}


def row_ids(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT conversation_id, id FROM tip.conversations"))
        return {row.conversation_id: row.id for row in rows}


def test_a_call_is_found_by_its_words_in_other_data_sets_only(fresh_database: Engine):
    assert DeliveredIndex(fresh_database).replace_dataset("one", [sketch("c1", "f1"), sketch("c2", "f2")]) == 2
    assert found(DeliveredIndex(fresh_database, "two"), sketch("a", "f1"), sketch("b", "f9")) == {"a": [("one", "c1")]}
    assert found(DeliveredIndex(fresh_database, "one"), sketch("a", "f1")) == {}
    assert found(DeliveredIndex(fresh_database, "two")) == {}


def test_a_call_is_found_by_any_key_it_shares_and_comes_back_whole(fresh_database: Engine):
    kept = sketch("c1", "f1", (7, -(2**63), 2**63 - 1), b"\x01\x00what comparing needs")
    DeliveredIndex(fresh_database).replace_dataset("one", [kept, sketch("c2", "f2", (8,))])
    [[row]] = DeliveredIndex(fresh_database, "two").near([sketch("a", "f9", (5, 2**63 - 1))]).values()
    assert (row.id, row.dataset, row.exact, row.normalized) == ("c1", "one", kept.exact, kept.normalized)
    assert (row.bands, row.body) == (kept.bands, kept.body)


def test_the_same_words_come_first_then_most_shared_keys_then_the_name_of_the_set(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    index.replace_dataset("b", [sketch("one key", "f1", (1,)), sketch("two keys", "f2", (1, 2))])
    index.replace_dataset("a", [sketch("one key", "f3", (2,)), sketch("same words", "f4", (99,))])
    wanted = sketch("x", "f4", (1, 2, 3))
    assert found(index, wanted) == {
        "x": [("a", "same words"), ("b", "two keys"), ("a", "one key"), ("b", "one key")],
    }


def test_a_key_that_very_many_calls_have_is_kept_of_fifty_and_rarer_keys_find_the_others(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    index.replace_dataset("one", [sketch(f"c{number}", f"f{number}", (1, 100 + number)) for number in range(40)])
    index.replace_dataset("two", [sketch(f"d{number}", f"g{number}", (1, 200 + number)) for number in range(40)])
    near = found(index, sketch("x", "", (1, 200)), sketch("y", "", (239,)))
    assert near["x"][0] == ("two", "d0")  # which has both keys
    assert len(near["x"]) == 10
    assert near["y"] == [("two", "d39")]
    # Made again, a set finds its own room again.
    index.replace_dataset("one", [sketch(f"c{number}", f"f{number}", (1, 100 + number)) for number in range(40)])
    assert found(index, sketch("x", "", (1, 200))) == {"x": near["x"]}


def test_bands_of_another_encoding_are_not_compared_but_words_are(fresh_database: Engine):
    DeliveredIndex(fresh_database).replace_dataset("one", [sketch("c1", "f1", (1,), b"\x02newer")])
    assert found(DeliveredIndex(fresh_database), sketch("a", "f9", (1,)), sketch("b", "f1", (1,))) == {
        "b": [("one", "c1")]
    }


def test_rows_of_before_the_sketches_are_found_by_their_words_after_the_migration(fresh_database: Engine):
    migrate(fresh_database, "0005")
    with fresh_database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tip.conversations (dataset, conversation_id, normalized_fingerprint) "
                "VALUES ('old', 'c1', 'f1')"
            )
        )
    migrate(fresh_database)
    [[row]] = DeliveredIndex(fresh_database).near([sketch("a", "f1", (1,))]).values()
    assert (row.id, row.dataset, row.exact, row.normalized, row.bands, row.body) == ("c1", "old", "", "f1", b"", b"")
    DeliveredIndex(fresh_database).replace_dataset("old", [sketch("c1", "f1", (1,))])
    assert found(DeliveredIndex(fresh_database), sketch("a", "f2", (1,))) == {"a": [("old", "c1")]}


def test_replacing_forgets_what_a_data_set_held_before(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    index.replace_dataset("one", [sketch("c1", "old", (1,)), sketch("c2", "stays", (2,))])
    index.replace_dataset("one", iter([sketch("c1", "new", (3,)), sketch("c2", "stays", (2,))]))
    wanted = (sketch("a", "old", (1,)), sketch("b", "new"), sketch("c", "x", (3,)), sketch("d", "stays"))
    assert found(index, *wanted) == {"b": [("one", "c1")], "c": [("one", "c1")], "d": [("one", "c2")]}
    index.replace_dataset("one", [])
    assert found(index, *wanted) == {}


def test_a_row_that_stays_keeps_what_refers_to_it(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    index.replace_dataset("one", [sketch("c1", "f1", (1,)), sketch("c2", "f2")])
    before = row_ids(fresh_database)
    index.replace_dataset("one", [sketch("c1", "f1", (1,)), sketch("c3", "f3")])
    after = row_ids(fresh_database)
    assert set(after) == {"c1", "c3"}
    assert after["c1"] == before["c1"]


def test_a_replacement_that_fails_leaves_the_old_rows(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    index.replace_dataset("one", [sketch("c1", "old")])
    with pytest.raises(IntegrityError):
        index.replace_dataset("one", [sketch("twice", "new"), sketch("twice", "new")])
    assert found(index, sketch("a", "old"), sketch("b", "new")) == {"a": [("one", "c1")]}


def test_two_who_replace_one_data_set_at_once_leave_the_rows_of_one(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(index.replace_dataset, "one", [sketch(f"c{i}", f"f{i}-{writer}", (i,)) for i in range(300)])
            for writer in range(4)
        ]:
            done.result()
    near = index.near([sketch(f"f{i}-{writer}", f"f{i}-{writer}") for i in range(300) for writer in range(4)])
    assert len(near) == 300
    assert len({id.partition("-")[2] for id in near}) == 1


def test_five_thousand_calls_are_indexed_and_looked_up_in_batches_by_the_index(fresh_database: Engine):
    chance = random.Random(1)
    keys = [tuple(chance.randrange(-(2**63), 2**63) for _ in range(16)) for _ in range(6_000)]
    index = DeliveredIndex(fresh_database)
    rows = (sketch(f"c{number}", f"f{number}", keys[number]) for number in range(5_500))
    assert index.replace_dataset("large", rows) == 5_500
    near = found(index, *(sketch(f"n{number}", "", (0, *keys[number][3:5])) for number in range(5_000, 6_000)))
    assert near == {f"n{number}": [("large", f"c{number}")] for number in range(5_000, 5_500)}


def test_of_each_kind_of_keys_the_smallest_are_kept_and_common_ones_make_room_for_others(fresh_database: Engine):
    index = DeliveredIndex(fresh_database)
    first, second = range(1_000, 1_040), range(10, 50)  # two kinds, each rising
    index.replace_dataset("one", [sketch("c1", "f1", (*first, *second))])
    alone = [sketch(str(key), "", (key,)) for key in (*first, *second)]
    kept = {int(id) for id in found(index, *alone)}
    assert kept == {*first[:12], *second[:12]}
    index.replace_dataset("many", [sketch(f"d{n}", f"g{n}", (*first[:12], *second[:12])) for n in range(60)])
    index.replace_dataset("new", [sketch("e1", "h1", (*first, *second))])
    with fresh_database.connect() as connection:
        keys = connection.scalar(text("SELECT band_keys FROM tip.conversations WHERE dataset = 'new'"))
    assert sorted(keys) == [*second[12:24], *first[12:24]]


def test_nothing_waits_to_be_sorted_in_when_a_set_is_there(fresh_database: Engine):
    DeliveredIndex(fresh_database).replace_dataset("one", [sketch(f"c{n}", f"f{n}", (n, n + 1)) for n in range(500)])
    with fresh_database.connect() as connection:
        assert connection.scalar(text("SELECT gin_clean_pending_list('tip.conversations_by_band_keys')")) == 0
