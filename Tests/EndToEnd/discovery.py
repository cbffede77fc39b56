"""Registration, health checks, blocking queries and DNS, from outside."""

import base64
import concurrent.futures
import http.server
import json
import selectors
import socket
import struct
import threading

from harness import (
    A, AAAA, SOA, SRV, agent, check, eventually, exchange_raw, program,
    register, resolve, run, test,
)


class Answering(http.server.ThreadingHTTPServer):
    """A service whose health can be set."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"state of health"
            self.send_response(self.server.code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.code = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()


def status_of(one, service):
    """The status of the first check of a service in the catalog."""
    checks = json.loads(one.get(f"/v1/health/checks/{service}")[1])
    return checks[0]["Status"] if checks else None


@test("an HTTP check follows the service: 200 passes, 429 warns, 500 is critical")
def http_check(muster):
    service = Answering()
    with agent(muster) as one:
        url = f"http://127.0.0.1:{service.server_port}/health"
        register(one, "web", 80, Check={"HTTP": url, "Interval": "100ms", "Timeout": "1s"})
        eventually(lambda: status_of(one, "web") == "passing", "passing")
        service.code = 429
        eventually(lambda: status_of(one, "web") == "warning", "warning")
        service.code = 500
        eventually(lambda: status_of(one, "web") == "critical", "critical")
        output = json.loads(one.get("/v1/agent/checks")[1])["service:web"]["Output"]
        check("HTTP GET " + url + ": 500" in output and "state of health" in output, output)
        service.code = 200
        eventually(lambda: status_of(one, "web") == "passing", "passing again")
        service.shutdown()
        service.server_close()
        eventually(lambda: status_of(one, "web") == "critical", "nobody listens")


@test("a TCP check follows the port")
def tcp_check(muster):
    with agent(muster) as one:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            register(one, "db", port, Check={"TCP": f"127.0.0.1:{port}", "Interval": "100ms"})
            eventually(lambda: status_of(one, "db") == "passing", "passing")
        eventually(lambda: status_of(one, "db") == "critical", "critical")


@test("a script check runs when scripts are enabled, with the agent's threshold of output")
def script_check(muster):
    with agent(muster, {"enable_script_checks": True}) as one:
        register(one, "job", 1, Check={
            "Args": ["/bin/sh", "-c", "echo hello; exit 1"], "Interval": "100ms"})
        eventually(lambda: status_of(one, "job") == "warning", "warning")
        register(one, "loud", 1, Check={
            "Args": ["/bin/sh", "-c", "head -c 20000 /dev/zero | tr '\\0' x"],
            "Interval": "100ms"})
        eventually(lambda: status_of(one, "loud") == "passing", "passing")
        output = json.loads(one.get("/v1/agent/checks")[1])["service:loud"]["Output"]
        check(len(output) < 5000 and "4096 of 20000" in output, len(output), output[:200])


@test("500 blocking queries on one service all wake with the same new index")
def many_watchers(muster):
    with agent(muster, {"limits": {"http_max_conns_per_client": 1000}}) as one:
        register(one, "web", 80)
        connection = socket.create_connection(one.address)
        connection.sendall(b"GET /v1/health/service/web HTTP/1.1\r\nHost: x\r\n\r\n")
        index = header(connection.recv(65536), "x-consul-index")
        connection.close()
        request = (f"GET /v1/health/service/web?index={index}&wait=30s HTTP/1.1\r\n"
                   "Host: x\r\nConnection: close\r\n\r\n").encode()
        selector = selectors.DefaultSelector()
        answers = {}
        for _ in range(500):
            watcher = socket.create_connection(one.address)
            watcher.sendall(request)
            selector.register(watcher, selectors.EVENT_READ)
            answers[watcher] = b""
        check(not selector.select(0.5), "a query answered before the change")
        register(one, "web", 81)
        left = len(answers)
        while left:
            ready = selector.select(10)
            check(ready, left, "queries never woke")
            for key, _ in ready:
                chunk = key.fileobj.recv(65536)
                answers[key.fileobj] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    left -= 1
        seen = {header(answer, "x-consul-index") for answer in answers.values()}
        check(len(seen) == 1 and int(seen.pop()) > int(index), seen)
        check(all(b"81" in answer for answer in answers.values()), "an old answer")


def header(answer, name):
    """The value of a header in a raw answer."""
    for line in answer.split(b"\r\n\r\n")[0].decode().split("\r\n"):
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None


@test("DNS answers A, AAAA and SRV, over UDP and TCP, for passing instances only")
def dns_forms(muster):
    with agent(muster) as one:
        register(one, "web", 80, ID="web-1", Address="10.1.1.1", Tags=["v1"])
        register(one, "web", 81, ID="web-2", Address="10.1.1.2", Tags=["v2"],
                 Check={"TTL": "1h", "Status": "passing"})
        for tcp in (False, True):
            answer = resolve(one, "web.service.consul", A, tcp)
            addresses = sorted(data for _, _, data in answer.answers)
            check(addresses == [bytes([10, 1, 1, 1]), bytes([10, 1, 1, 2])], addresses)
            check(all(ttl == 0 for _, ttl, _ in answer.answers), "TTL")
            answer = resolve(one, "v2.web.service.consul", A, tcp)
            check([data for _, _, data in answer.answers] == [bytes([10, 1, 1, 2])], "by tag")
            answer = resolve(one, "_web._v2.service.dc1.consul", SRV, tcp)
            port = struct.unpack(">H", answer.answers[0][2][4:6])[0]
            check(len(answer.answers) == 1 and port == 81, answer.answers)
            check([kind for kind, _, _ in answer.extras[:1]] == [A], answer.extras)
            answer = resolve(one, "web.service.consul", AAAA, tcp)
            check(answer.code == 0 and not answer.answers, answer.answers)
            check([kind for kind, _, _ in answer.authorities] == [SOA], answer.authorities)
            answer = resolve(one, "none.service.consul", A, tcp)
            check(answer.code == 3, "code", answer.code)
            check([kind for kind, _, _ in answer.authorities] == [SOA], answer.authorities)
            answer = resolve(one, "golden-node.node.consul", A, tcp)
            check([data for _, _, data in answer.answers] == [bytes([127, 0, 0, 1])], "node")
        one.ask("PUT", "/v1/agent/check/fail/service:web-2")
        eventually(lambda: len(resolve(one, "web.service.consul", A).answers) == 1, "one left")


@test("dig gets the same answers")
def dig(muster):
    path = program("dig")
    with agent(muster) as one:
        register(one, "web", 80, Address="10.1.1.1")
        base = [path, "@127.0.0.1", "-p", str(one.ports["dns"]), "+time=3", "+tries=1"]
        for extra in ([], ["+tcp"]):
            code, output = run([*base, *extra, "+short", "web.service.consul"])
            check(code == 0 and output.strip() == "10.1.1.1", output)
            code, output = run([*base, *extra, "web.service.consul", "SRV"])
            check("1 1 80 " in output and "ADDITIONAL: " in output, output)
            code, output = run([*base, *extra, "none.service.consul"])
            check("status: NXDOMAIN" in output and "SOA" in output, output)
            check("WARNING: recursion" in output, "no recursion is offered", output)


@test("check-and-set by eight clients at once loses no update")
def counting(muster):
    with agent(muster) as one:
        one.ask("PUT", "/v1/kv/counter", "0")

        def count():
            for _ in range(25):
                while True:
                    entry = json.loads(one.get("/v1/kv/counter?consistent")[1])[0]
                    value = int(base64.b64decode(entry["Value"]))
                    path = f"/v1/kv/counter?cas={entry['ModifyIndex']}"
                    if one.ask("PUT", path, str(value + 1))[1].strip() == "true":
                        break

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for job in [pool.submit(count) for _ in range(8)]:
                job.result()
        check(one.get("/v1/kv/counter?raw")[1] == "200", one.get("/v1/kv/counter?raw"))


@test("of sixteen clients that want one lock, one holds it, and each gets it once it is free")
def locking(muster):
    with agent(muster) as one:
        def session():
            return json.loads(one.ask("PUT", "/v1/session/create", {"LockDelay": "0s"})[1])["ID"]

        sessions = [session() for _ in range(16)]
        for left in range(16, 0, -1):
            def acquire(identity):
                return one.ask("PUT", f"/v1/kv/lock?acquire={identity}", identity)[1].strip()

            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                got = list(pool.map(acquire, sessions))
            check(got.count("true") == 1, left, got)
            holder = sessions.pop(got.index("true"))
            check(one.get("/v1/kv/lock?raw")[1] == holder, "the value of the holder")
            check(one.ask("PUT", f"/v1/session/destroy/{holder}")[0] == 200, "destroy")


@test("a watcher that follows the index sees every final state, and the index only grows")
def following(muster):
    with agent(muster) as one:
        one.ask("PUT", "/v1/kv/watched", "0")

        def follow():
            index, value = 0, None
            while value != "100":
                path = f"/v1/kv/watched?raw&index={index}&wait=10s"
                request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                answer = exchange_raw(one.address, request.encode(), seconds=15)
                new = int(header(answer, "x-consul-index"))
                check(new > index, "the index", index, new)
                index = new
                value = answer.split(b"\r\n\r\n", 1)[1].decode()

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            followers = [pool.submit(follow) for _ in range(4)]
            for value in range(1, 101):
                check(one.ask("PUT", "/v1/kv/watched", str(value))[0] == 200, "put")
            for follower in followers:
                follower.result(timeout=20)
