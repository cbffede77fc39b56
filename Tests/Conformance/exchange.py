"""One HTTP exchange of a scenario: how it is sent, what is kept of the answer, when two agree.

The recorder (record-http.py) and the replayer (replay_http.py) share this file, so that both see
the same answer in the same way. Python's standard library only. The rules are described in
Tests/README.md, section "Golden HTTP exchanges".
"""

import base64
import gzip
import http.client
import json
import re
import threading
import time

# The answer headers that a client may act on; all others (Date, Content-Length) are not kept.
KEPT_HEADERS = (
    "Content-Type", "Content-Encoding", "Vary", "Location", "Allow", "Age", "Cache-Control",
    "Www-Authenticate", "X-Cache", "X-Content-Type-Options",
)
KEPT_PREFIX = "x-consul-"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# The agent's own node is written twice while it starts, or once: a race that says nothing.
OWN_NODE = re.compile(
    r'("consul-network-segment": ?""\s*\},\s*"CreateIndex": ?)\d+(,\s*"ModifyIndex": ?)\d+')
INDEX_KEYS = re.compile(r'"(CreateIndex|ModifyIndex|Index)":( ?)(\d+)')
HASH = re.compile(r'("ContentHash": ?)"([0-9a-f]+)"')
TYPE = re.compile(r"<\w+>$")
REQUEST_TIMEOUT_SECONDS = 20
EVENTUALLY_SECONDS = 12


class Failure(Exception):
    """The exchange could not be made at all (refused, reset, timed out)."""


def substitute(value, variables):
    """Replaces ${name} by what an earlier step captured, in strings at any depth."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda m: variables.get(m.group(1), m.group(0)), value)
    if isinstance(value, dict):
        return {key: substitute(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, variables) for item in value]
    return value


def body_bytes(body):
    """A request body: text, {"repeat": s, "count": n} or {"base64": s}."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if "repeat" in body:
        middle = body["repeat"] * body["count"]
        return (body.get("before", "") + middle + body.get("after", "")).encode()
    return base64.b64decode(body["base64"])


def send(address, request, timeout=REQUEST_TIMEOUT_SECONDS):
    """Sends one request on a connection of its own and returns status, headers, body, seconds."""
    payload = body_bytes(request.get("body"))
    started = time.monotonic()
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.putrequest(request["method"], request["path"], skip_accept_encoding=True)
        for name, value in request.get("headers", {}).items():
            connection.putheader(name, value)
        if payload or request["method"] in ("PUT", "POST"):
            connection.putheader("Content-Length", str(len(payload)))
        connection.endheaders()
        try:
            connection.send(payload)
        except (BrokenPipeError, ConnectionResetError):
            pass  # A server may answer before it has read a refused body.
        answer = connection.getresponse()
        data = answer.read()
    except http.client.RemoteDisconnected:
        # Consul closes the connection without an answer when a handler panics.
        return {"status": 0, "headers": {}, "body": ""}, time.monotonic() - started
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    elapsed = time.monotonic() - started
    return {"status": answer.status, "headers": kept(answer), **text(answer, data)}, elapsed


def kept(answer):
    """The headers of an answer that the golden files keep, in a fixed order."""
    names = {name for name, _ in answer.getheaders()}
    chosen = [n for n in names if n.title() in KEPT_HEADERS or n.lower().startswith(KEPT_PREFIX)]
    return {
        name.title(): ", ".join(answer.headers.get_all(name)) for name in sorted(chosen)
    }


def text(answer, data):
    """The body as text, or as base64 when it is not text; gzip is undone."""
    if answer.getheader("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    try:
        return {"body": data.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(data).decode()}


def perform(address, step, variables, accept=None):
    """Makes the exchange of `step`; repeats it until `accept(answer)` when it is marked `until`.

    `concurrently` lists requests that are sent from another thread while this one is waiting.
    """
    request = substitute(step["request"], variables)
    deadline = time.monotonic() + EVENTUALLY_SECONDS
    while True:
        helper = start_concurrent(address, substitute(step.get("concurrently", []), variables))
        try:
            answer, elapsed = send(address, request)
        finally:
            if helper:
                helper.join()
        repeat = step.get("until") is not None and accept is not None and not accept(answer)
        if not repeat or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    for name, source in step.get("capture", {}).items():
        variables[name] = captured(answer, source)
    return answer, elapsed


def start_concurrent(address, requests):
    """Sends `requests` in order after a short while, so that the main request waits already."""
    if not requests:
        return None

    def run():
        time.sleep(0.15)
        for request in requests:
            send(address, request)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def captured(answer, source):
    """`header:NAME`, or `json:a.0.b` into the body; an empty string when it is not there."""
    kind, _, where = source.partition(":")
    if kind == "header":
        return answer["headers"].get(where, "")
    try:
        value = json.loads(answer["body"])
        for part in where.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        return str(value)
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


class Normalizer:
    """Replaces what differs from run to run, keeping the relations inside one scenario.

    UUIDs and content hashes become numbered names in order of appearance; indexes of a body become
    their rank in it, and X-Consul-Index its relation to the last answer of the same URL.
    """

    def __init__(self):
        self.names = {}
        self.last = {}

    def copy(self):
        """A normalizer that knows the same names, to try an answer without keeping it."""
        other = Normalizer()
        other.names = {kind: dict(known) for kind, known in self.names.items()}
        other.last = dict(self.last)
        return other

    def normalize(self, step, answer):
        """The comparable form of an answer: status, headers and body text."""
        body = answer.get("body")
        if body is None:
            return {**answer, "headers": self.headers(step, answer, "")}
        body = drop(body, step.get("ignore", []), step.get("unordered", False))
        indexes = self.ranks(step, OWN_NODE.sub("", body))
        headers = self.headers(step, answer, body)
        body = OWN_NODE.sub(r'\1"<own>"\2"<own>"', body)
        body = INDEX_KEYS.sub(
            lambda m: f'"{m.group(1)}":{m.group(2)}"<index {indexes[int(m.group(3))]}>"', body
        )
        body = re.sub(r"current modify index \d+", "current modify index <index>", body)
        body = HASH.sub(lambda m: m.group(1) + self.name("hash", m.group(2)), body)
        for pattern, replacement in step.get("subs", []):
            body = re.sub(pattern, replacement, body)
        body = UUID.sub(lambda m: self.name("uuid", m.group(0)), body)
        return {"status": answer["status"], "headers": headers, "body": body}

    def ranks(self, step, body):
        """Numbers the different indexes of a body in rising order; 0 stays 0."""
        values = {int(m.group(3)) for m in INDEX_KEYS.finditer(body)} - {0}
        if step.get("ignore_indexes"):
            return {0: 0, **{value: "any" for value in values}}
        return {0: 0, **{value: rank for rank, value in enumerate(sorted(values), 1)}}

    def headers(self, step, answer, body):
        """The headers with volatile values replaced."""
        result = {}
        for name, value in answer["headers"].items():
            if name in step.get("ignore_headers", []):
                continue
            if name == "X-Consul-Index" and value.isdigit():
                value = self.relation(step, int(value), body)
            elif name == "X-Consul-Contenthash":
                value = self.name("hash", value)
            elif name == "Age":
                value = "<seconds>"
            elif name == "Location":
                value = UUID.sub(lambda m: self.name("uuid", m.group(0)), value)
                value = re.sub(r"cas=\d+", "cas=<index>", value)
            result[name] = value
        return result

    def relation(self, step, value, body):
        """How the index of this URL moved since the scenario last asked for it.

        `stayed` is as good as `grew` where the body is the same: Consul's indexes are coarser.
        """
        url = re.sub(r"[?&](index|wait|hash)=[^&]*", "", step["request"]["path"])
        last, last_body = self.last.get(url, (None, None))
        self.last[url] = value, body
        if value == 0:
            return "ZERO"
        if last is None:
            return "first"
        if value < last:
            return "FELL"
        if body == last_body:
            return "same answer" if value == last else "same answer, grew"
        return "grew" if value > last else "STAYED"

    def name(self, kind, value):
        """A stable name for a volatile value: the same value gives the same name."""
        known = self.names.setdefault(kind, {})
        return known.setdefault(value, f"<{kind} {len(known) + 1}>")


def drop(body, ignored, unordered):
    """Replaces the values at the ignored JSON paths, and sorts lists that have no order.

    A body that is touched is written again by Python, with Go's separators; a pretty one never is.
    """
    if not ignored and not unordered:
        return body
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for path in ignored:
        erase(value, path.split("."))
    if unordered:
        value = ordered(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def erase(value, path):
    """Replaces what is at `path` ('*' is any key or element) by the name of its type."""
    if isinstance(value, dict):
        keys = list(value) if path[0] == "*" else [path[0]] if path[0] in value else []
    elif isinstance(value, list):
        keys = range(len(value)) if path[0] == "*" else []
    else:
        return
    for key in keys:
        if len(path) == 1 and not (isinstance(value[key], str) and TYPE.match(value[key])):
            value[key] = f"<{type(value[key]).__name__}>"
        elif len(path) > 1:
            erase(value[key], path[1:])


def ordered(value):
    """The value with every list sorted."""
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((ordered(item) for item in value), key=json.dumps)
    return value
