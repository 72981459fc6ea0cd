"""Serve a folder as servers of rasters do, with parts of files; a program of its own, which prints its port."""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Ranges(SimpleHTTPRequestHandler):
    """Answers requests for parts of files, as servers of rasters do."""

    def send_head(self):
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            return self.send_error(404)
        data = Path(path).read_bytes()
        first, _, last = (self.headers.get("Range") or "bytes=0-").partition("=")[2].partition("-")
        part = data[int(first) : int(last or len(data)) + 1]
        self.send_response(206 if "Range" in self.headers else 200)
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        return io.BytesIO(part)

    def log_message(self, *texts):
        pass


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, directory=sys.argv[1])) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
