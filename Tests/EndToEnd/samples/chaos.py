"""The demonstration of chaos, short."""

import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree

import sample
from harness import check
from sample import test


@test("20 instances and the registry die at random under 4 consumers: no call is lost")
def chaos(muster):
    with tempfile.TemporaryDirectory() as directory:
        picture = os.path.join(directory, "chaos.svg")
        command = [
            os.path.join(sample.PROGRAMS, "Chaos"), "--registry", muster,
            "--programs", sample.PROGRAMS, "--seconds", "20", "--rate", "50",
            "--seed", str(int.from_bytes(os.urandom(2), "big")), "--picture", picture,
        ]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=80)
        verdict = re.search(r"^PASSED: (.*)$", done.stdout, re.MULTILINE)
        check(done.returncode == 0 and verdict, " ".join(command), done.stdout[-1500:])
        drawn = xml.etree.ElementTree.parse(picture).getroot()
        texts = " ".join(element.text or "" for element in drawn.iter())
        check("instance 20" in texts and "0 lost" in texts, texts[:500])
        return verdict.group(1)
