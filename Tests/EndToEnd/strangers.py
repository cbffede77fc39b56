"""Strangers' programs that people run with Consul, unchanged, against our agent."""

import importlib.util
import json
import os
import socket
import sys
import tempfile
import urllib.request

from agent import free_ports
from harness import Running, Skip, agent, check, eventually, program, register, run, test

HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(url):
    """The body of a page as text, or an empty string while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


@test("every call of py-consul that this agent can serve works")
def py_consul(muster):
    if importlib.util.find_spec("consul") is None:
        raise Skip("py-consul not installed (python3 -m pip install py-consul)")
    with tempfile.TemporaryDirectory() as data, agent(muster, {"data_dir": data}) as one:
        code, output = run([sys.executable, os.path.join(HERE, "py_consul_calls.py"),
                            str(one.ports["http"])], seconds=50)
        check(code == 0, output)


@test("Prometheus discovers services through consul_sd_configs and sees them go")
def prometheus(muster):
    path = program("prometheus")
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        register(one, "web", 8080, ID="web-1", Address="10.1.1.1", Tags=["prod"],
                 Meta={"team": "a"})
        register(one, "web", 8081, ID="web-2", Address="10.1.1.2", Tags=["test"])
        with open(os.path.join(directory, "prometheus.yml"), "w") as file:
            json.dump({"scrape_configs": [{"job_name": "found", "consul_sd_configs": [{
                "server": "127.0.0.1:%d" % one.ports["http"], "services": ["web"],
                "refresh_interval": "1s"}]}]}, file)
        port = free_ports(1)[0]
        command = [path, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                   f"--web.listen-address=127.0.0.1:{port}"]
        with Running(command, directory):
            def targets():
                text = fetch(f"http://127.0.0.1:{port}/api/v1/targets?state=active")
                return json.loads(text)["data"]["activeTargets"] if text else []

            eventually(lambda: len(targets()) == 2, "two targets", seconds=25)
            found = {t["discoveredLabels"]["__address__"]: t["discoveredLabels"] for t in targets()}
            check(sorted(found) == ["10.1.1.1:8080", "10.1.1.2:8081"], sorted(found))
            labels = found["10.1.1.1:8080"]
            check(labels["__meta_consul_tags"] == ",prod,", labels)
            check(labels["__meta_consul_service_metadata_team"] == "a", labels)
            check(labels["__meta_consul_health"] == "passing"
                  if "__meta_consul_health" in labels else True, labels)
            one.ask("PUT", "/v1/agent/service/deregister/web-2")
            eventually(lambda: len(targets()) == 1, "one target", seconds=15)


@test("HAProxy fills its servers from our DNS and follows the changes")
def haproxy(muster):
    path = program("haproxy")
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        register(one, "web", 8080, ID="web-1", Address="127.0.0.1")
        control = os.path.join(directory, "control.sock")
        with open(os.path.join(directory, "haproxy.cfg"), "w") as file:
            file.write(f"""
global
    stats socket {control} mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
resolvers muster
    nameserver muster 127.0.0.1:{one.ports['dns']}
    accepted_payload_size 8192
    hold valid 1s
    hold nx 1s
    hold obsolete 1s
    timeout resolve 500ms
    timeout retry 500ms
frontend front
    bind 127.0.0.1:{free_ports(1)[0]}
    default_backend back
backend back
    default-server resolve-prefer ipv4 init-addr none
    server-template web 3 _web._tcp.service.consul resolvers muster
""")
        with Running([path, "-db", "-f", "haproxy.cfg"], directory):
            def servers():
                if not os.path.exists(control):
                    return []
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(control)
                    connection.sendall(b"show servers state\n")
                    text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
                lines = [line.split() for line in text.splitlines() if line.startswith("3 back")
                         or " back " in line]
                return sorted(f"{line[4]}:{line[18]}" for line in lines if line[4] != "-")

            eventually(lambda: servers() == ["127.0.0.1:8080"], "one server", seconds=15)
            register(one, "web", 8081, ID="web-2", Address="127.0.0.1")
            eventually(lambda: servers() == ["127.0.0.1:8080", "127.0.0.1:8081"], "two servers",
                       seconds=15)
            one.ask("PUT", "/v1/agent/service/maintenance/web-1?enable=true")
            eventually(lambda: servers() == ["127.0.0.1:8081"], "the other server", seconds=15)
            one.ask("PUT", "/v1/agent/service/maintenance/web-1?enable=false")
            eventually(lambda: len(servers()) == 2, "both again", seconds=15)
            one.ask("PUT", "/v1/agent/service/deregister/web-2")
            eventually(lambda: servers() == ["127.0.0.1:8080"], "the last server", seconds=15)


@test("Traefik routes to a service that it finds in the catalog")
def traefik(muster):
    path = program("traefik")
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        tags = ["traefik.enable=true", "traefik.http.routers.web.rule=PathPrefix(`/v1/`)"]
        # The instance is the agent itself: what Traefik sends there is answered.
        register(one, "web", one.ports["http"], Address="127.0.0.1", Tags=tags)
        register(one, "web", 8081, Address="127.0.0.1", Tags=tags, ID="web-2",
                 Check={"TTL": "1h", "Status": "critical"})
        api, entry = free_ports(2)
        command = [path, "--api.insecure=true", f"--entrypoints.traefik.address=127.0.0.1:{api}",
                   f"--entrypoints.web.address=127.0.0.1:{entry}",
                   "--providers.consulcatalog.refreshInterval=1s",
                   f"--providers.consulcatalog.endpoint.address=127.0.0.1:{one.ports['http']}"]
        with Running(command, directory):
            def servers():
                text = fetch(f"http://127.0.0.1:{api}/api/http/services")
                services = json.loads(text) if text else []
                return [server["url"] for service in services if service["name"].startswith("web@")
                        for server in service["loadBalancer"]["servers"]]

            own = "http://127.0.0.1:%d" % one.ports["http"]
            eventually(lambda: own in servers(), "the service in Traefik", seconds=20)
            page = fetch(f"http://127.0.0.1:{entry}/v1/status/peers")
            check(page == one.get("/v1/status/peers")[1], page)
            one.ask("PUT", "/v1/agent/check/pass/service:web-2")
            eventually(lambda: "http://127.0.0.1:8081" in servers(), "two servers", seconds=15)
            one.ask("PUT", "/v1/agent/service/maintenance/web-2?enable=true")
            eventually(lambda: servers() == [own], "one server", seconds=15)
            one.ask("PUT", "/v1/agent/service/deregister/web")
            eventually(lambda: own not in servers(), "no server", seconds=15)
