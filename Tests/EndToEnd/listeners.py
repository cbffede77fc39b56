"""The sockets: unix, HTTPS, several at once, scripts, limits on connections."""

import http.client
import os
import socket
import ssl
import stat
import tempfile

from agent import free_ports
from harness import agent, check, eventually, exchange_raw, program, run, test

TLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls")


@test("the API is served on a unix socket beside TCP, with the mode that was asked for")
def unix_socket(muster):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "http.sock")
        config = {"addresses": {"http": f"127.0.0.1 unix://{path}"},
                  "unix_sockets": {"mode": "0700"}}
        with agent(muster, config) as one:
            check(stat.S_ISSOCK(os.stat(path).st_mode), "no socket")
            check(stat.S_IMODE(os.stat(path).st_mode) == 0o700, oct(os.stat(path).st_mode))
            request = b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            answer = exchange_raw(path, request, family=socket.AF_UNIX)
            check(answer.startswith(b"HTTP/1.1 200 "), answer)
            check(one.get("/v1/status/leader")[0] == 200, "TCP")
        # A socket file that was left behind does not stop the next start.
        with agent(muster, config):
            pass


@test("the API is served over HTTPS with the configured certificate")
def https(muster):
    port = free_ports(1)[0]
    certificate = os.path.join(TLS, "certificate.pem")
    config = {"cert_file": certificate, "key_file": os.path.join(TLS, "key.pem"),
              "ca_file": certificate}

    def prepare(one):
        one.config["ports"]["https"] = port

    one = agent(muster, config)
    prepare(one)
    with one:
        context = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=10)
        connection.request("GET", "/v1/status/leader")
        answer = connection.getresponse()
        check(answer.status == 200 and b":" in answer.read(), answer.status)
        connection.close()
        # Plain text on the port of HTTPS is refused, and the server goes on.
        plain = exchange_raw(("127.0.0.1", port), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", seconds=2)
        check(b" 200 " not in plain, plain)
        connection.request("GET", "/v1/status/leader")
        check(connection.getresponse().status == 200, "after plain text")


@test("after a reload HTTPS shows the certificate that its file holds then")
def renewed_certificate(muster):
    openssl, port = program("openssl"), free_ports(1)[0]
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = (os.path.join(directory, name) for name in ("cert.pem", "key.pem"))

        def renew():
            code, output = run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                                "-keyout", key, "-out", certificate])
            check(code == 0, output)
            with open(certificate) as file:
                return ssl.PEM_cert_to_DER_cert(file.read())

        def shown():
            return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))

        old = renew()
        one = agent(muster, {"cert_file": certificate, "key_file": key})
        one.config["ports"]["https"] = port
        with one:
            check(shown() == old, "the first certificate")
            new = renew()
            check(new != old and shown() == old, "before the reload")
            code, output = run([muster, "reload", "-http-addr=http://%s:%d" % one.address])
            check(code == 0 and shown() == new, "after the reload", code, output)


@test("verify_incoming refuses a client without a certificate")
def mutual_tls(muster):
    port = free_ports(1)[0]
    certificate = os.path.join(TLS, "certificate.pem")
    key = os.path.join(TLS, "key.pem")
    one = agent(muster, {"cert_file": certificate, "key_file": key, "ca_file": certificate,
                         "verify_incoming_https": True})
    one.config["ports"]["https"] = port
    with one:
        def status(with_certificate):
            context = ssl.create_default_context(cafile=certificate)
            if with_certificate:
                context.load_cert_chain(certificate, key)
            connection = http.client.HTTPSConnection(
                "localhost", port, context=context, timeout=10)
            try:
                connection.request("GET", "/v1/status/leader")
                return connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return None
            finally:
                connection.close()

        check(status(True) == 200, "with a certificate")
        check(status(False) is None, "without a certificate")


@test("more connections of one client than allowed are refused, and the rest go on")
def connection_limit(muster):
    with agent(muster, {"limits": {"http_max_conns_per_client": 20}}) as one:
        request = b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"
        held = []

        def hold():
            # What asked before the test may still count, so a refusal is tried again.
            connection = socket.create_connection(one.address, timeout=10)
            held.append(connection)
            connection.sendall(request)
            if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                return True
            held.pop().close()
            return False

        try:
            for number in range(20):
                eventually(hold, "held connection", number)
            extra = exchange_raw(one.address, request, seconds=3)
            check(not extra or extra.startswith(b"HTTP/1.1 429"), extra)
            held[0].sendall(request)
            check(held[0].recv(4096).startswith(b"HTTP/1.1 200"), "a held connection, again")
        finally:
            for connection in held:
                connection.close()
        eventually(lambda: one.answers("/v1/status/leader", ":"), "a place became free")


@test("a taken port stops the start with a message and exit code 1")
def taken_port(muster):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = agent(muster)
        one.config["ports"]["http"] = taken.getsockname()[1]
        one.wait_until_ready = lambda: None
        with one:
            check(one.process.wait(timeout=15) == 1, "exit code", one.process.returncode)
