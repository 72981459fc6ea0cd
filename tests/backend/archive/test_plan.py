"""Plans of archives: folders, patterns, tables and STAC item collections."""

from __future__ import annotations

import json

import pytest

from backend.archive.dates import span
from backend.archive.plan import plan_digest, plan_text, read_plan
from backend.archive.units import Unit, safe_name
from backend.core.errors import InputError


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_a_folder_gives_units_and_joins_polarisations(tmp_path):
    touch(tmp_path, "a/S1A_20240105_VV.tif", "a/S1A_20240105_VH.tif", "a/both_2023-02.tiff", "b.qml", ".hidden/c.tif")
    units = read_plan(str(tmp_path))
    assert [unit.name for unit in units] == ["s1a_20240105", "both_2023-02"] or {u.name for u in units} == {
        "s1a_20240105", "both_2023-02"
    }  # fmt: skip
    pair = next(unit for unit in units if len(unit.files) == 2)
    assert [file.rpartition("_")[2] for file in pair.files] == ["VH.tif", "VV.tif"]
    assert pair.date == "2024-01-05"
    assert next(unit for unit in units if len(unit.files) == 1).date == "2023-02"


def test_a_pattern_gives_what_it_matches(tmp_path):
    touch(tmp_path, "x/1.tif", "y/2.tif", "y/3.dat")
    assert [u.name for u in read_plan(str(tmp_path / "**" / "*.tif"))] == ["1", "2"]


def test_products_are_units_and_are_not_searched(tmp_path):
    touch(tmp_path, "S1A_IW_GRDH_20240105.SAFE/manifest.safe", "S1A_IW_GRDH_20240105.SAFE/measurement/vv.tiff")
    (unit,) = read_plan(str(tmp_path))
    assert unit.files[0].endswith(".SAFE") and unit.name == "S1A_IW_GRDH_20240105"


def test_scenes_of_one_name_are_told_apart(tmp_path):
    touch(tmp_path, "x/scene.tif", "y/SCENE.tif")
    names = [unit.name for unit in read_plan(str(tmp_path))]
    assert len({name.lower() for name in names}) == 2 and all(name.lower().startswith("scene_") for name in names)


def test_a_table_names_files_from_its_own_folder(tmp_path):
    touch(tmp_path, "a.tif", "b_vv.tif", "b_vh.tif")
    plan = tmp_path / "plan.csv"
    plan.write_text("name;input;vv;vh;datetime\nfirst;a.tif;;;2024-03-01\n;;b_vv.tif;b_vh.tif;\n")
    first, second = read_plan(str(plan))
    assert (first.name, first.files, first.date) == ("first", (str(tmp_path / "a.tif"),), "2024-03-01")
    assert second.files == (str(tmp_path / "b_vv.tif"), str(tmp_path / "b_vh.tif"))
    assert (first.bands, second.bands) == ((), ("VV", "VH"))


@pytest.mark.parametrize(
    ("date", "first", "last"),
    [
        ("2024-01-05T06:00:00.1234567Z", "2024-01-05T06:00:00.123456", "2024-01-05T06:00:00.123456"),
        ("2024-01-05T01:00:00+02:00", "2024-01-04T23:00:00", "2024-01-04T23:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00", "2024-02-29T23:59:59"),
        ("2023-12", "2023-12-01T00:00:00", "2023-12-31T23:59:59"),
    ],
)
def test_dates_are_read_as_spans_of_utc(date, first, last):
    assert [time.isoformat() for time in span(date)] == [f"{first}+00:00", f"{last}+00:00"]


@pytest.mark.parametrize(
    "date", ["", "20240105", "2024-02-30", "2024", "yesterday", "2024-01-05T99:00:00Z", "9999-12-31"]
)
def test_what_is_no_date_is_none(date):
    assert span(date) is None


def test_a_plan_that_was_written_is_read_as_the_same(tmp_path):
    touch(tmp_path / "scenes", "S1_VV.tif", "S1_VH.tif", "x.tif")
    units = read_plan(str(tmp_path / "scenes"))
    again = tmp_path / "again.csv"
    again.write_text(plan_text(units))
    assert read_plan(str(again)) == units


@pytest.mark.parametrize(
    ("text", "said"),
    [("a,b\n1,2\n", "columns a, b"), ("input,name\n,x\n", "Line 2"), ("input\n", "names no scene"),
     ("input\na.tif\na.tif\n", "twice"), ("input,bands\na.tif,VV|XY\n", "band XY"),
     ("input,datetime\na.tif,05.01.2024\n", "'05.01.2024'"), ("input,datetime\na.tif,2024-13-01\n", "2024-13-01")],
)  # fmt: skip
def test_tables_that_are_no_plans_are_refused(tmp_path, text, said):
    plan = tmp_path / "plan.csv"
    plan.write_text(text)
    with pytest.raises(InputError, match=said):
        read_plan(str(plan))


def item(name="S1A", **assets):
    return {"type": "Feature", "id": name, "assets": assets, "properties": {"datetime": "2024-01-05T06:00:00Z"}}


def collection(path, *items):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return str(path)


def test_items_give_their_assets_by_polarisation(tmp_path):
    one = item(
        vh={"href": "https://x.org/vh.tif?sig=SECRET"}, vv={"href": "https://u:p@x.org/vv.tif?sig=SECRET"},
        thumbnail={"href": "t.png", "roles": ["thumbnail"]},
    )  # fmt: skip
    other = item(
        "B", data1={"href": "b/1.tif", "sar:polarizations": ["VV"]}, x={"href": "2.tif", "bands": [{"name": "vh"}]}
    )
    third = item("C", data={"href": "./c.tif"})
    first, second, last = read_plan(collection(tmp_path / "items.json", one, other, third))
    assert first.files == ("https://u:p@x.org/vv.tif?sig=SECRET", "https://x.org/vh.tif?sig=SECRET")
    assert first.recorded == ("https://x.org/vv.tif", "https://x.org/vh.tif")
    assert second.files == (str(tmp_path / "b/1.tif"), str(tmp_path / "2.tif"))
    assert last.files == (str(tmp_path / "c.tif"),) and last.date == "2024-01-05T06:00:00Z"


def test_items_say_the_polarisation_of_each_band(tmp_path):
    keys = item("A", vh={"href": "1.tif"}, vv={"href": "2.tif"})
    bands = [{"name": "VH"}, {"name": "VV"}]
    both = item("B", image={"href": "3.tif", "bands": bands}, mask={"href": "m.tif"}, info={"href": "i.json"})
    told = item("C", image={"href": "4.tif", "sar:polarizations": ["VH", "VV"]}, mask={"href": "m.tif"})
    path = collection(tmp_path / "items.json", keys, both, told)
    units = read_plan(path)
    assert [unit.bands for unit in units] == [("VV", "VH"), ("VH", "VV"), ()]
    assert [unit.files for unit in units[1:]] == [(str(tmp_path / "3.tif"),), (str(tmp_path / "4.tif"),)]
    (tmp_path / "plan.csv").write_text(plan_text(units))
    assert read_plan(str(tmp_path / "plan.csv")) == units


@pytest.mark.parametrize("start", ["", "file://"])
def test_links_start_from_where_the_item_lies(tmp_path, start):
    found = item(vv={"href": "./vv.tif"}, vh={"href": "file:///x/v%20h.tif"})
    found["links"] = [{"rel": "self", "href": f"{start}/there/items/a.json"}]
    (unit,) = read_plan(collection(tmp_path / "items.json", found))
    assert unit.files == ("/there/items/vv.tif", "/x/v h.tif")


@pytest.mark.parametrize("told", [{"numberMatched": 12}, {"context": {"matched": 12}}])
def test_a_page_of_a_search_is_said_to_be_one(tmp_path, told):
    notes, path = [], tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [item(vv={"href": "a.tif"})], **told}))
    read_plan(str(path), notes)
    assert len(notes) == 1 and "1 of the 12 items" in notes[0]
    read_plan(collection(path, item(vv={"href": "a.tif"})), notes)
    assert len(notes) == 1


def test_new_signatures_are_no_new_plan_and_are_not_written_down(tmp_path):
    signed = [
        read_plan(collection(tmp_path / "i.json", item(vv={"href": f"https://x.org/vv.tif?sig={sig}"})))
        for sig in ("OLD", "NEW")
    ]
    assert plan_digest(signed[0]) == plan_digest(signed[1])
    assert "OLD" not in plan_text(signed[0])


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("/vsicurl/https://x.org/a.tif?sig=SECRET%2B1", "/vsicurl/https://x.org/a.tif"),
        ("/vsicurl?max_retry=3&url=https%3A%2F%2Fx.org%2Fa.tif%3Fsig%3DSECRET%2B1", "/vsicurl/https://x.org/a.tif"),
        ('NETCDF:"https://me:SECRET+1@x.org/a.nc?t=SECRET+1":vv', 'NETCDF:"https://x.org/a.nc":vv'),
        ("s3://bucket/a.tif", "s3://bucket/a.tif"),
        ("C:\\data\\what?.tif", "C:\\data\\what?.tif"),
    ],
)
def test_signatures_inside_of_names_for_gdal_are_hidden(name, bare):
    unit = Unit("a", (name,))
    assert unit.recorded == (bare,)
    said = unit.unsigned(f"{name} and {'SECRET+1 and SECRET%2B1' if 'SECRET' in name else ''} of it")
    assert "SECRET" not in said and bare in said


@pytest.mark.parametrize(
    "content", ["[]", '{"type": "Catalog"}', "{", '{"type": "FeatureCollection", "features": [{"id": 1}]}',
                '{"type": "FeatureCollection", "features": [{"id": "a", "assets": {"a": {"href": 1}}}]}']
)  # fmt: skip
def test_other_json_is_refused(tmp_path, content):
    path = tmp_path / "items.json"
    path.write_text(content)
    with pytest.raises(InputError):
        read_plan(str(path))


def test_a_single_raster_is_no_plan(tmp_path):
    with pytest.raises(InputError, match="no plan"):
        read_plan(str(touch(tmp_path, "a.tif") / "a.tif"))


@pytest.mark.parametrize("text", ["", "..", "con", "a/b\\c:d", "ä ö", "x" * 300, "林"])
def test_names_are_fit_for_folders(text):
    name = safe_name(text)
    assert 0 < len(name) <= 150 and name.strip("._") == name
    assert all(c.isascii() and (c.isalnum() or c in "-_.") for c in name) and name.lower() != "con"
