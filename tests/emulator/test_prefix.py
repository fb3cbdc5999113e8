"""Shell text rewritten for the host's shell, and output rewritten back."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edgeocr.emulator.prefix import PathFilter, PrefixLauncher, translate
from edgeocr.emulator.qemu import Qemu
from edgeocr.errors import SetupError

CASES = [
    ("ls -l /data/local/tmp", "ls -l R/data/local/tmp"),
    ("/data/local/tmp/prog a /data/x", "RUN R/data/local/tmp/prog a R/data/x"),
    ("cd /data/local/tmp && ./prog --in=/data/x", "cd R/data/local/tmp && RUN ./prog --in=R/data/x"),
    ("A=/data/x B=2 ./prog", "A=R/data/x B=2 RUN ./prog"),
    ("'/data/a b/prog' '/data/c d'", "RUN 'R/data/a b/prog' 'R/data/c d'"),
    ('"/data/prog" "$X/data"', 'RUN "R/data/prog" "$X/data"'),
    ("exec nohup ./prog; timeout 5 ./prog | ./other", "exec nohup RUN ./prog; timeout 5 RUN ./prog | RUN ./other"),
    ("taskset f0 /data/prog ./arg", "taskset f0 RUN R/data/prog ./arg"),
    ('"$PROG" ./arg; $PROG', 'RUN "$PROG" ./arg; RUN $PROG'),
    ("env -i X=1 ./prog", "env -i X=1 RUN ./prog"),
    ("if ./a; then ./b; else ! ./c; fi", "if RUN ./a; then RUN ./b; else ! RUN ./c; fi"),
    ("for f in ./a ./b; do ./prog $f; done", "for f in ./a ./b; do RUN ./prog $f; done"),
    ("./prog > ./out 2>&1 < ./in &", "RUN ./prog > ./out 2>&1 < ./in &"),
    (">./out ./prog", ">./out RUN ./prog"),
    ("(./a) && { ./b; }", "(RUN ./a) && { RUN ./b; }"),
    ("echo ./x # ./y; ./z\n./prog", "echo ./x # ./y; ./z\nRUN ./prog"),
    ("echo 'a; ./b' \"c; ./d\" e\\;./f", "echo 'a; ./b' \"c; ./d\" e\\;./f"),
    ("getprop ro.product.model", "getprop ro.product.model"),
    ("/system/bin/getprop", "RUN R/system/bin/getprop"),
    ("ls /data /system/ /database /system.img ./data x/data ~/data", "ls R/data R/system/ /database /system.img ./data x/data ~/data"),
    ('ls "$HOME"/data ${X}/data', 'ls "$HOME"R/data ${X}/data'),
    ("echo ';", "echo ';"),  # an open quote is the shell's to complain about
    ("", ""),
]


@pytest.mark.parametrize(("command", "expected"), CASES)
def test_translate(command: str, expected: str) -> None:
    assert translate(command, "/R", "RUN") == expected.replace("R/", "/R/")


def test_output_loses_the_root_wherever_it_is_cut() -> None:
    root = b"/home/u/state/root"
    text = b"a " + root + b"/data/x " + root + b"/system " + root + b"/other /data " + root[:9] + b" \xff" + root + b"/dat"
    expected = text.replace(root + b"/data", b"/data").replace(root + b"/system", b"/system")
    chance = random.Random(5)
    for _ in range(300):
        path_filter = PathFilter(root)
        cuts = sorted(chance.sample(range(len(text)), chance.randint(0, 12)))
        pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert b"".join([*map(path_filter.feed, pieces), path_filter.end()]) == expected, cuts


def test_what_cannot_be_a_path_is_not_held_back() -> None:
    assert PathFilter(b"/home/root").feed(b"progress 50 %") == b"progress 50 %"


@pytest.mark.parametrize("name", ["with blank", "quo'te", "dollar$", "uml\u00e4ut"])
def test_a_folder_that_a_shell_would_read_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    with pytest.raises(SetupError, match="expected letters, digits"):
        PrefixLauncher(tmp_path, root, tmp_path, Qemu("/usr/bin/qemu-aarch64", "max"))
