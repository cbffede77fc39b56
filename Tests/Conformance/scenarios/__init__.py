"""The scenarios that record-http.py plays to Consul: one module per area of the API."""

import json

ALL = []


class Scenario:
    """An ordered list of requests to one fresh agent."""

    def __init__(self, name, about, config=None, dev=False):
        self.name, self.about, self.config, self.dev = name, about, config or {}, dev
        self.steps = []
        self.counts = {}
        ALL.append(self)

    def request(self, method, path, body=None, headers=None, **options):
        """Adds a step. The options are those of Tests/README.md: capture, until, ignore, …"""
        label = f"{method} {path}"
        self.counts[label] = self.counts.get(label, 0) + 1
        if self.counts[label] > 1:
            label += f" #{self.counts[label]}"
        request = {"method": method, "path": path}
        if headers:
            request["headers"] = headers
        generated = isinstance(body, dict) and {"repeat", "base64"} & set(body)
        if isinstance(body, (list, dict)) and not generated:
            body = json.dumps(body)
        if body is not None:
            request["body"] = body
        self.steps.append({"name": label, "request": request, **options})
        return self

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def put(self, path, body=None, **options):
        return self.request("PUT", path, body, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def delete(self, path, body=None, **options):
        return self.request("DELETE", path, body, **options)


def write(method, path, body=None):
    """A request for `concurrently`."""
    request = {"method": method, "path": path}
    if body is not None:
        request["body"] = body if isinstance(body, str) else json.dumps(body)
    return request
