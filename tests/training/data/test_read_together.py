import threading

import pytest

from training.data.read_together import file_threads, read_together


def test_results_come_in_order_though_files_are_read_at_once() -> None:
    gate = threading.Barrier(2, timeout=20)

    def read(number: int) -> int:
        if number < 2:
            gate.wait()  # passes only if two are read at once
        return 10 * number

    assert list(read_together(read, range(50))) == [10 * number for number in range(50)]
    assert file_threads() >= 4


def test_an_error_comes_at_its_item_and_the_rest_is_not_read() -> None:
    seen = []

    def read(number: int) -> int:
        seen.append(number)
        if number == 3:
            raise ValueError("third")
        return number

    found = []
    with pytest.raises(ValueError, match="third"):
        for number in read_together(read, range(10_000)):
            found.append(number)
    assert found == [0, 1, 2] and len(seen) < 10_000
