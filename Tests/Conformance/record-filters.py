#!/usr/bin/env python3
"""Asks a real Consul agent what it makes of filter expressions and prints one JSON object per line.

Usage: record-filters.py http://127.0.0.1:8500 > Tests/FilterTests/Golden/catalog-service.jsonl

Start the agent with `consul agent -dev`; the script registers the one service that the tests
describe.
Each line has the filter and either whether the service passed or the text of the error.
"""

import http.client
import json
import random
import sys
import urllib.parse

SERVICE = {
    "ID": "web1",
    "Name": "web",
    "Tags": ["a", "b"],
    "Meta": {"env": "qa", "n": "5"},
    "Port": 80,
    "Address": "10.0.0.1",
    "TaggedAddresses": {"lan": {"Address": "1.2.3.4", "Port": 5}},
}

EXPRESSIONS = r"""
foo
Foo == bar
ServiceName == web
ServiceName
ServiceName =
ServiceName ==
ServiceMeta == 3
ServicePort == foo
ServicePort == 80
ServicePort == "0x50"
ServicePort == 0x50
ServicePort == 80.5
ServicePort == 99999999999999999999
ServicePort == -9223372036854775809
ServicePort == "080"
ServicePort == "8_0"
ServicePort == "8__0"
ServicePort == "_80"
ServicePort == "80_"
ServicePort == "0_120"
ServicePort == "0b1010000"
ServicePort == "0o120"
ServicePort == "0x"
ServicePort == "+80"
ServicePort == ""
ServicePort == 03
ServiceEnableTagOverride == maybe
ServiceEnableTagOverride == t
ServiceEnableTagOverride != TRUE
ServiceMeta.zip matches "x"
ServiceMeta.zip not matches "x"
ServiceMeta.zip contains x
ServiceMeta.zip not contains x
ServiceMeta.zip == x
ServiceMeta.zip != x
ServiceMeta.env is empty
ServiceMeta is not empty
ServiceTags is empty
env in ServiceMeta
ServiceMeta contains zip
"foo
ServiceName == "foo
ServiceName == `foo
(ServiceName == web
ServiceName == web)
((ServiceName == web))
not not ServiceName == web
not(ServiceName == web)
notServiceName == web
ServiceName == web and
ServiceName == web or ServiceName == web x
ServiceMeta[foo] == 3
ServiceMeta["env"] == qa
ServiceMeta["env" == qa
ServiceMeta["env == qa
ServiceName == 3x
web in 3
3 in "x"
3 in ServicePort
ServiceName is empty
ServiceTags == a
ServiceTags matches a
ServicePort matches 8
ServiceWeights.Passing == 1
ServiceTaggedAddresses.lan.Port == 5
ServiceTaggedAddresses.wan.Port == 5
ServiceTaggedAddresses.wan.Port != 5
ServiceTaggedAddresses.lan == 5
ServiceTaggedAddresses.lan is empty
lan in ServiceTaggedAddresses
ServiceProxy.Upstreams is empty
ServiceProxy.Config is empty
ServiceProxy == 3
ServiceProxy.Expose.Checks == false
ServiceName.foo.bar == 3
ServiceMeta.foo.bar.baz == 3
ServiceName == "\u00zz"
ServiceName == "\x77\145b"
ServiceName == "\"web"
ServiceName == 'web'
ServiceName == wéb
ServiceName == "wéb"
ServiceName == web["x"]
not in ServiceTags
is is empty
ServiceName == "\q" and ServiceName == "\z"
ServiceName is not
ServiceName not matches
ServiceName == "web"and ServiceName == web
ServiceName == no or ServiceName == web and ServicePort == 81
ServiceName == web or ServiceName == no and ServicePort == 81
"""

PATTERNS = r"""
w( * a** a{1001} a{2,1} a) [z-a] [abc \8 \ (?<n>a) (?P<n>w) (?P<n (?P<>a) (?i (?i)W (?z)
(?i-s:WEB) (?=a) a++ w*? w?? w{,2} w{ a{2}{3} a{2}* (a{999}){2} \pL \p{Zork} [[:alpha:]]+
[[:^alpha:]] [[:zork:]] [a []w] [^]w] [a-\d] [\d-w] \Qw.b\E \C \x4 \x{110000} \x77 \x{77} \167 \1
\Z \z \Aweb\z (?U)w+ (?s). x*| |* (|a)* () (?:) [a- [a-\ (?i)[W] a{0} w{1000} \p \- (?-) (?i-) (?)
(?: ^* \bweb\b w\Beb \Be (?#c) {2} ^{2} w{2 w{0,} \E \PN \p{^L} (a*)* (?m)^web$ ^we$ ^(w|x)(e|f)b$
^[^a-v]+ ^.{3}$ ^.{4,}$ ^\w+$ ^\W (?i:w)EB w|* (*) web{1,2}$
"""


def mutated(source, count):
    """Damaged copies of the expressions, the same ones for every run."""
    good = [line for line in EXPRESSIONS.split("\n") if line.startswith(("Service", "(", "not "))]
    bits = list('()[]."`\n 3-\\=é') + ["and", " or ", "not "]
    for _ in range(count):
        text = source.choice(good) + source.choice(["", " and ", " or "])
        text = list(text + source.choice(good) if text.endswith(" ") else text)
        place = source.randrange(len(text) + 1)
        if source.random() < 0.4:
            del text[place : place + 1]
        else:
            text.insert(place, source.choice(bits))
        yield "".join(text)


def main():
    peer = http.client.HTTPConnection(urllib.parse.urlparse(sys.argv[1]).netloc)
    peer.request("PUT", "/v1/agent/service/register", json.dumps(SERVICE))
    peer.getresponse().read()
    filters = EXPRESSIONS.strip().split("\n")
    filters += [f"ServiceName matches `{pattern}`" for pattern in PATTERNS.split()]
    filters += list(mutated(random.Random(18), 250))
    for text in filters:
        peer.request("GET", "/v1/catalog/service/web?" + urllib.parse.urlencode({"filter": text}))
        answer = peer.getresponse()
        body = answer.read().decode()
        record = {"filter": text}
        if answer.status == 200:
            record["passes"] = bool(json.loads(body))
        else:
            record["error"] = body
        print(json.dumps(record, ensure_ascii=False))


if __name__ == "__main__":
    main()
