"""Files that GDAL would read with a raster: no pipes, no devices, and no network unless the user names it."""

import html
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio

from backend.core.errors import UnreadableError
from backend.raster.behind import check_behind, stamps
from backend.raster.source import RasterSource, gdal_environment

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that are files")
BAND = """<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Float32" band="1">
{}</VRTRasterBand></VRTDataset>"""
SOURCE = "<SimpleSource><SourceFilename{}>{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"


def virtual(path, source, relative=""):
    path.write_text(BAND.format(SOURCE.format(relative, source)))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "scene.tif.aux.xml", "scene.tif.ovr", "scene.tif.msk", "scene.IMD", "scene.imd", "scene.RPB", "scene_rpc.txt",
        "scene_RPC.TXT", "scene.tfw", "scene.hdr", "scene.XML", "summary.txt", "scene.qml", "SCENE.PVL",
    ],
)  # fmt: skip
def test_a_pipe_beside_a_raster_is_refused(name, make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadableError, match="together with .* is not a file but a pipe"):
        RasterSource(scene)


def test_links_to_devices_and_sockets_are_refused(make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    (tmp_path / "scene.tif.ovr").symlink_to("/dev/zero")
    with pytest.raises(UnreadableError, match=r"scene\.tif\.ovr, which is not a file"):
        RasterSource(scene)
    (tmp_path / "scene.tif.ovr").unlink()
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(tmp_path / "scene.IMD"))
    with pytest.raises(UnreadableError, match="pipe, socket or device"):
        RasterSource(scene)


def test_a_pipe_of_another_name_does_not_matter(make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    os.mkfifo(tmp_path / "queue")
    RasterSource(scene).close()


@pytest.mark.parametrize(
    "text",
    [
        SOURCE.format("", "{pipe}"),
        SOURCE.format(' relativeToVRT="1"', "pipe"),
        SOURCE.format(' shared="0>"', "{pipe}"),
        SOURCE.format("", "<![CDATA[{pipe}]]>"),
        SOURCE.format("", "<!-- a -->{pipe}"),
        SOURCE.format("", "&#47;{pipe}"),
        SOURCE.format("", "/vsigzip/{pipe}"),
        SOURCE.format("", "/vsizip/{pipe}/a.tif"),
        SOURCE.format("", "vrt://{pipe}?bands=1"),
        SOURCE.format("", "/vsisubfile/0_100,{pipe}"),
        SOURCE.format("", 'NETCDF:"{pipe}":vv'),
        SOURCE.format("", html.escape(BAND.format(SOURCE.format("", "{pipe}")))),
        SOURCE.format("", "inner.vrt"),
        SOURCE.format("", "GTIFF_DIR:1:{pipe}"),
        "<sourcefilename>{pipe}</sourcefilename>",
        "<Overview><SourceFilename>{pipe}</SourceFilename></Overview>",
        "<unclosed a=1><SourceFilename>{pipe}",
    ],
)
def test_a_pipe_as_a_source_is_refused(text, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    virtual(tmp_path / "inner.vrt", pipe)
    text = BAND.format(text.replace("{pipe}", str(pipe)))
    for name in ("a.vrt", "b.tif"):
        (tmp_path / name).write_text(text)
        with pytest.raises(UnreadableError, match="pipe, socket or device"):
            RasterSource(tmp_path / name)
    with pytest.raises(UnreadableError, match="pipe, socket or device"):
        RasterSource(
            text.replace("inner.vrt", str(tmp_path / "inner.vrt")).replace(' relativeToVRT="1">pipe', f">{pipe}")
        )


def test_sidecars_of_sources_and_overviews_count_too(make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    (tmp_path / "lists").mkdir()
    path = virtual(tmp_path / "lists" / "a.vrt", scene)
    check_behind(str(path))
    pipe = tmp_path / "elsewhere"
    os.mkfifo(pipe)
    virtual(tmp_path / "scene.tif.msk", pipe)
    for name in (path, scene):
        with pytest.raises(UnreadableError, match="elsewhere"):
            check_behind(str(name))
    (tmp_path / "scene.tif.msk").unlink()
    aux = '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{}</MDI></Metadata></PAMDataset>'
    for named in (pipe, "https://example.org/a.ovr"):
        (tmp_path / "scene.tif.aux.xml").write_text(aux.format(named))
        with pytest.raises(UnreadableError, match=r"elsewhere|network"):
            check_behind(str(scene))


@pytest.mark.parametrize(
    "source",
    [
        "/vsicurl/http://127.0.0.1:9/a.tif", "http://127.0.0.1:9/a.tif", "/vsis3/bucket/a.tif", "/vsicurl_streaming/x",
        "/vsizip//vsicurl/https://example.org/a.zip/a.tif", "/vsicurl?url=x", "WMS:http://127.0.0.1:9/",
        "&lt;GDAL_WMS&gt;&lt;/GDAL_WMS&gt;", "vrt:///vsicurl/http://127.0.0.1:9/a.tif", "HTTPS://example.org/a.tif",
    ],
)  # fmt: skip
def test_a_file_here_does_not_ask_the_network(source, tmp_path):
    for path in (virtual(tmp_path / "a.vrt", source), virtual(tmp_path / "b.vrt", "a.vrt", ' relativeToVRT="1"')):
        with pytest.raises(UnreadableError, match="names a source on the network"):
            RasterSource(path)


def test_descriptions_of_services_are_refused(tmp_path):
    (tmp_path / "a.tif").write_text(
        "<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1:9/</ServerUrl></Service>"
    )
    with pytest.raises(UnreadableError, match="describes a service on the network"):
        RasterSource(tmp_path / "a.tif")


def test_addresses_in_metadata_and_of_the_user_are_allowed(make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    path = virtual(tmp_path / "a.vrt", scene)
    told = '<Metadata><MDI key="LICENCE">https://creativecommons.org/licenses/by/4.0</MDI></Metadata><VRTRasterBand'
    path.write_text(path.read_text().replace("<VRTRasterBand", told))
    RasterSource(path).close()
    check_behind("/vsicurl/http://127.0.0.1:9/a.vrt")


@pytest.mark.parametrize("name", ["/vsistdin/", "/VSISTDIN/", "/vsigzip//vsistdin/"])
def test_standard_input_is_no_raster(name, tmp_path):
    with pytest.raises(UnreadableError, match="standard input"):
        check_behind(name)
    with pytest.raises(UnreadableError, match="standard input"):
        check_behind(str(virtual(tmp_path / "a.vrt", name)))


def test_stamps_change_with_any_file_behind(make_raster, scene_db, tmp_path):
    scene = make_raster(scene_db(20, 20))
    inner = virtual(tmp_path / "inner.vrt", scene)
    outer = str(virtual(tmp_path / "outer.vrt", inner))
    found = [stamps(outer)]
    assert found[0] == stamps(outer)
    with rasterio.open(scene, "r+") as file:
        file.write(np.zeros((2, 20, 20), np.float32))
    os.utime(scene, ns=(1, 1))
    found.append(stamps(outer))
    for suffix in (".ovr", ".msk", ".aux.xml"):
        (tmp_path / f"scene.tif{suffix}").write_text("x")
        found.append(stamps(outer))
    inner.write_text(inner.read_text() + " ")
    found.append(stamps(outer))
    assert len(set(found)) == len(found)


def test_blocks_of_gigabytes_are_refused_with_their_size(tmp_path):
    path = tmp_path / "wide.tif"
    profile = {"driver": "GTiff", "count": 2, "dtype": "float32", "compress": "deflate", "SPARSE_OK": True}
    with rasterio.open(path, "w", width=20_000, height=20_000, blockysize=20_000, **profile):
        pass
    with pytest.raises(UnreadableError, match=r"blocks of 20000 x 20000 pixels, 1\.5 GiB each"):
        RasterSource(path)


def test_a_raster_on_the_network_counts_as_changed_soon(monkeypatch):
    clock = [600.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    name = "https://example.org/scene.tif"
    first = stamps(name, (f"/vsicurl/{name}",))
    clock[0] += 1
    assert stamps(name, (f"/vsicurl/{name}",)) == first
    clock[0] += 60
    assert stamps(name, (f"/vsicurl/{name}",)) != first


def test_a_changed_raster_on_the_network_is_read_anew(make_raster, scene_db, served):
    for level, side in ((0, 60), (-5, 60), (0, 30)):
        values = scene_db(side, side) + np.float32(level)
        make_raster(values)
        with gdal_environment(), RasterSource(f"{served}/scene.tif") as source:
            np.testing.assert_array_equal(source.read(0, side)[0], values)


@pytest.fixture
def served(tmp_path, repo_root):
    """Serve the folder of the test over HTTP; its address."""
    command = [sys.executable, "-m", "tests.support.range_server", str(tmp_path)]
    process = subprocess.Popen(command, cwd=repo_root, stdout=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.kill()
    process.communicate()


def test_a_folder_is_listed_once_until_it_changes(tmp_path, monkeypatch):
    listed, real = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: (listed.append(folder), real(folder))[1])
    for number in range(20):
        (tmp_path / f"{number}.tif").touch()
    os.utime(tmp_path, (1e9, 1e9))
    for number in range(20):
        check_behind(str(tmp_path / f"{number}.tif"))
    assert listed == [str(tmp_path)]
    os.mkfifo(tmp_path / "3.IMD")
    for _ in range(2):
        with pytest.raises(UnreadableError, match="3.IMD"):
            check_behind(str(tmp_path / "3.tif"))
