# SPDX-License-Identifier: Apache-2.0
"""Stand-ins of the services that published plugins talk to, as far as they ask.

services.py FOLDER S3_PORT: Okta and GitHub by TLS on port 443 of loopback, with keys and
certificates NAME.key and NAME.pem of the folder; S3 on S3_PORT, one bucket whose objects
are the files of FOLDER/bucket. Prints what it was asked.
"""

import hashlib
import hmac
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request

FOLDER, S3_PORT = sys.argv[1], int(sys.argv[2])
BUCKET = os.path.join(FOLDER, "bucket")
NAMES = ("mews-test.okta.com", "api.github.com")


def okta_event(number, kind):
    user = {"id": "1", "type": "User", "alternateId": "a@example.com", "displayName": "Alice"}
    return {
        "actor": user,
        "client": {"ipAddress": "192.0.2.1"},
        "displayMessage": kind,
        "eventType": kind,
        "outcome": {"result": "SUCCESS"},
        "published": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "severity": "INFO",
        "target": [dict(user, displayName="Bob")],
        "uuid": "u-%d" % number,
        "version": "0",
    }


OKTA = [
    okta_event(n, kind)
    for n, kind in enumerate(
        ["user.lifecycle.create", "user.account.update_password", "user.session.start"]
    )
]


def send_hooks(secret):
    """What GitHub sends: signed with the secret of the hook that the plugin made."""
    repository = {"name": "repo", "full_name": "owner/repo", "private": False,
                  "html_url": "https://github.example/owner/repo", "owner": {"login": "owner"}}
    bodies = [
        ("ping", {"zen": "z", "hook_id": 1, "repository": repository}),
        ("repository", {"action": "publicized", "repository": repository}),
        ("repository", {"action": "deleted", "repository": repository}),
    ]
    for kind, body in bodies:
        text = json.dumps(dict(body, sender={"login": "alice"})).encode()
        sha1, sha256 = (hmac.new(secret.encode(), text, kind_of).hexdigest()
                        for kind_of in (hashlib.sha1, hashlib.sha256))
        request = urllib.request.Request("http://127.0.0.1:80/", text, {
            "Content-Type": "application/json",
            "X-GitHub-Event": kind,
            "X-Hub-Signature": "sha1=" + sha1,
            "X-Hub-Signature-256": "sha256=" + sha256,
        })
        for _ in range(50):
            try:
                urllib.request.urlopen(request, timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(self.command, self.headers.get("Host"), self.path, status, flush=True)

    def log_message(self, *args):
        pass


class Apis(Service):
    def do_GET(self):
        is_log = self.path.startswith("/api/v1/logs")
        events = list(OKTA) if is_log else []
        if is_log:
            OKTA.clear()  # each event is told once
        self.answer(200, json.dumps(events).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.answer(201, b'{"id": 1}')
        secret = body.get("config", {}).get("secret")
        if secret:
            threading.Thread(target=send_hooks, args=(secret,), daemon=True).start()

    def do_DELETE(self):
        self.answer(204)


class S3(Service):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        key = urllib.parse.unquote(url.path).split("/", 2)[-1]
        path = os.path.join(BUCKET, os.path.basename(key))
        if "list-type" in urllib.parse.parse_qs(url.query):
            return self.answer(200, self.listing(), "application/xml")
        if not os.path.isfile(path):
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        with open(path, "rb") as file:
            return self.answer(200, file.read(), "application/octet-stream")

    do_HEAD = do_GET

    def listing(self):
        items = "".join(
            "<Contents><Key>trail/%s</Key><LastModified>2024-03-24T21:11:59.000Z</LastModified>"
            "<ETag>&quot;e&quot;</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>"
            % (name, os.path.getsize(os.path.join(BUCKET, name)))
            for name in sorted(os.listdir(BUCKET))
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult '
            'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name><Prefix>trail</Prefix>'
            "<KeyCount>%d</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>%s"
            "</ListBucketResult>" % (len(os.listdir(BUCKET)), items)
        ).encode()


def main():
    s3 = http.server.ThreadingHTTPServer(("127.0.0.1", S3_PORT), S3)
    threading.Thread(target=s3.serve_forever, daemon=True).start()
    contexts = {}
    for name in NAMES:
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(
            os.path.join(FOLDER, name + ".pem"), os.path.join(FOLDER, name + ".key"))
    first = contexts[NAMES[0]]

    def choose(connection, name, _context):
        if name in contexts:
            connection.context = contexts[name]

    first.sni_callback = choose
    apis = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Apis)
    apis.socket = first.wrap_socket(apis.socket, server_side=True)
    print("ready", flush=True)
    apis.serve_forever()


main()
