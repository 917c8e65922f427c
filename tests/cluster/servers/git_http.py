"""A git server for the tests: smart HTTP over `git http-backend`, in a pod; repositories below /private need a login.

GET /<name>.git            anybody
GET /private/<name>.git    whoever gives the login of the environment variable LOGIN, `user:password`
"""

from __future__ import annotations

import base64
import http.server
import os
import subprocess
from urllib.parse import unquote, urlsplit

ROOT = "/repositories"
HOME = "/tmp"


class GitBackend(http.server.BaseHTTPRequestHandler):
    """Passes each request on to git's own CGI program."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/private/") and not self._knows_the_login():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": HOME,
            "GIT_PROJECT_ROOT": ROOT,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(url.path),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
        }
        command = ["git", "http-backend"]
        done = subprocess.run(command, input=body, env=environment, stdout=subprocess.PIPE, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _knows_the_login(self) -> bool:
        expected = base64.b64encode(os.environ["LOGIN"].encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8080), GitBackend).serve_forever()
