"""Products and elevation models that tests only read."""

from __future__ import annotations

import pytest

from tests.support.make_safe import Scene, make_safe
from tests.support.mountain import DESCENDING, dem_of, product_of


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    return make_safe(tmp_path_factory.mktemp("product"), Scene(shape=(120, 150)))


@pytest.fixture(scope="session")
def relief(tmp_path_factory):
    """A product that shows the mountain."""
    return product_of(tmp_path_factory.mktemp("relief"), DESCENDING)


@pytest.fixture(scope="session")
def dem(tmp_path_factory):
    """The mountain's heights."""
    return dem_of(tmp_path_factory.mktemp("dem") / "dem.tif", DESCENDING)
