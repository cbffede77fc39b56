"""One HTTP connection that tells a request that was never sent from one whose fate is unknown."""

import collections
import http.client
import json

Answer = collections.namedtuple("Answer", "status headers text")


class Failure(Exception):
    """No answer came; `sent` says whether the server may have received the request."""

    def __init__(self, cause, sent):
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.sent = sent


class Connection:
    """A connection that is kept between requests and opened again after a failure."""

    def __init__(self, address, seconds):
        self.address, self.seconds = address, seconds
        self.http = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.http:
            self.http.close()
        self.http = None

    def ask(self, method, path, body=None):
        """Sends one request and returns the Answer, or raises Failure."""
        sent = False
        try:
            if not self.http:
                connection = http.client.HTTPConnection(*self.address, timeout=self.seconds)
                connection.connect()
                self.http = connection
            self.http.sock.settimeout(self.seconds)
            sent = True
            plain = body is None or isinstance(body, (str, bytes))
            self.http.request(method, path, body if plain else json.dumps(body))
            answer = self.http.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Failure(error, sent) from error
