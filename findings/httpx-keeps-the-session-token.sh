#!/bin/sh
# httpx 0.28.1 with follow_redirects=True strips Authorization when a redirect leads to another origin, and keeps
# X-Amz-Security-Token: a signed call's session token reaches whoever it is sent on to.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check httpx==0.28.1
cat > "$folder/see.py" <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import httpx

class Other(BaseHTTPRequestHandler):
    seen = {}
    def do_GET(self):
        Other.seen = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_): pass

class First(Other):
    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{other.server_port}/")
        self.end_headers()

other, first = HTTPServer(("127.0.0.1", 0), Other), HTTPServer(("127.0.0.1", 0), First)
for server in (other, first):
    threading.Thread(target=server.serve_forever, daemon=True).start()
headers = {"Authorization": "AWS4-HMAC-SHA256 made-up", "X-Amz-Security-Token": "made-up-token"}
httpx.get(f"http://127.0.0.1:{first.server_port}/", headers=headers, follow_redirects=True, trust_env=False)
for name in ("authorization", "x-amz-security-token"):
    print(f"{name}:", Other.seen.get(name, "stripped"))
assert "authorization" not in Other.seen and Other.seen["x-amz-security-token"] == "made-up-token"
PYTHON
"$folder/venv/bin/python" "$folder/see.py"
