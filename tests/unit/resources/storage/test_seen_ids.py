"""Ids that came before are known again, whatever they are."""

from tip_resources.storage.seen_ids import SeenIds


def test_an_id_is_new_once() -> None:
    with SeenIds() as seen:
        assert all(seen.add(id_) for id_ in ("a", "b", "", "\ud800", "A"))
        assert not any(seen.add(id_) for id_ in ("a", "", "\ud800"))
        assert "b" in seen and "c" not in seen


def test_two_that_are_open_at_once_know_nothing_of_each_other() -> None:
    with SeenIds() as one, SeenIds() as other:
        assert one.add("a") and other.add("a")


def test_more_ids_than_its_cache_holds() -> None:
    with SeenIds() as seen:
        assert sum(seen.add(f"call {number % 150_000}") for number in range(200_000)) == 150_000
        assert "call 0" in seen and "call 149999" in seen and "call 150000" not in seen
