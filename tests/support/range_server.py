"""Serve the files of a folder over HTTP with ranges, as GDAL reads rasters on the network.

    python -m tests.support.range_server FOLDER

Prints its port. It is a process of its own: GDAL opens a raster while it holds the interpreter's lock.
"""

from __future__ import annotations

import http.server
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer GET, with or without a range, and HEAD."""

    def log_message(self, *texts: object) -> None:
        pass

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer(body=False)

    def do_GET(self) -> None:  # noqa: N802
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = Path(sys.argv[1]) / self.path.partition("?")[0].lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        data, asked = path.read_bytes(), self.headers.get("Range", "")
        whole = len(data)
        if asked:
            first, last = asked.partition("=")[2].split("-")
            data = data[int(first) : int(last or whole - 1) + 1]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(data) - 1}/{whole}")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if body:
            self.wfile.write(data)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
