"""The tool that runs published vectors: right answers pass, wrong ones end with 1, and no file makes it crash."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.protect.hazmat import Aead, GcmSiv
from troth.testing.vectors import VectorsUnreadable, run_file
from troth.testing.vectors.__main__ import main

KEY = "000102030405060708090a0b0c0d0e0f"
DATA = "00112233445566778899aabbccddeeff"


def wycheproof(algorithm: str, *tests: dict[str, Any], **group: Any) -> dict[str, Any]:
    """A file of one group, whose tests are numbered here and valid unless they say otherwise."""
    numbered = [{"tcId": at, "comment": "", "flags": [], "result": "valid", **one} for at, one in enumerate(tests, 1)]
    return {"algorithm": algorithm, "numberOfTests": len(tests), "testGroups": [{**group, "tests": numbered}]}


# One or two published answers for each algorithm, from the standards that tests/vectors/protect/SOURCE.md names; those
# of FF1 are the samples 1 and 2 that NIST published for SP 800-38G.
GCM = {"key": "0" * 32, "iv": "0" * 24, "aad": "", "msg": "", "ct": "", "tag": "58e2fccefa7e3061367f1d57a4e7455a"}
GCM_SIV = {
    "key": "01" + "0" * 30,
    "iv": "03" + "0" * 22,
    "aad": "",
    "msg": "",
    "ct": "",
    "tag": "dc20e2d83f25705bb49e439eca56de25",
}
SIV = {
    "key": "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    "aad": "101112131415161718191a1b1c1d1e1f2021222324252627",
    "msg": "112233445566778899aabbccddee",
    "ct": "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c",
}
WRAP = {"key": KEY, "msg": DATA, "ct": "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"}
WRAP_PADDED = {
    "key": "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
    "msg": "466f7250617369",
    "ct": "afbeb0f07dfbf5419200f2ccb50bb24f",
}
HKDF = {
    "ikm": "0b" * 11,
    "salt": "000102030405060708090a0b0c",
    "info": "f0f1f2f3f4f5f6f7f8f9",
    "size": 42,
    "okm": "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896",
}
HMAC = {"key": "0b" * 20, "msg": "4869205468657265", "tag": "896fb1128abbdf196832107cd49df33f"}
SIGNATURE = {
    "msg": "af82",
    "sig": "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
}
PUBLIC = {"curve": "edwards25519", "pk": "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"}
SECRET = {**PUBLIC, "sk": "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"}
FF1_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
FF1 = {"key": FF1_KEY, "tweak": "", "msg": "0123456789", "ct": "2433477484"}
FF1_TWEAKED = {"key": FF1_KEY, "tweak": "39383736353433323130", "msg": "0123456789", "ct": "6124200773"}
DIGITS = {"radix": 10, "alphabet": "0123456789"}

GOOD = {
    "AES-GCM": wycheproof("AES-GCM", GCM),
    "AES-GCM-SIV": wycheproof("AES-GCM-SIV", GCM_SIV),
    "AES-SIV-CMAC": wycheproof("AES-SIV-CMAC", SIV),
    "AES-WRAP": wycheproof("AES-WRAP", WRAP),
    "KW": wycheproof("KW", WRAP),
    "AES-KWP": wycheproof("AES-KWP", WRAP_PADDED),
    "KWP": wycheproof("KWP", WRAP_PADDED),
    "HKDF-SHA-1": wycheproof("HKDF-SHA-1", HKDF),
    "HMACSHA224": wycheproof("HMACSHA224", HMAC, tagSize=128),
    "EDDSA": wycheproof("EDDSA", SIGNATURE, publicKey=PUBLIC),
    "EDDSA of old": wycheproof("EDDSA", SIGNATURE, key=SECRET),
    "AES-FF1": wycheproof("AES-FF1", FF1, FF1_TWEAKED, **DIGITS),
    "AES-FF1 lists": wycheproof(
        "AES-FF1",
        *({**one, "msg": list(map(int, one["msg"])), "ct": list(map(int, one["ct"]))} for one in (FF1, FF1_TWEAKED)),
        radix=10,
    ),
}
ANSWERS = ("tag", "ct", "okm", "sig")
"""What a test of any algorithm says has to come out."""

INCLUSION = {
    "leafIdx": 0,
    "treeSize": 1,
    "root": "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
    "leafHash": "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
    "proof": None,
    "desc": "the only leaf",
    "wantErr": False,
}
CONSISTENCY = {
    "size1": 1,
    "size2": 1,
    "root1": INCLUSION["root"],
    "root2": INCLUSION["root"],
    "proof": [],
    "desc": "the same tree",
    "wantErr": False,
}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Write each of some values to a file, and run the tool on them."""

    def ran(*values: Any, options: tuple[str, ...] = ()) -> Result:
        paths = [tmp_path / f"{at}.json" for at in range(len(values))]
        for path, value in zip(paths, values, strict=True):
            path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return CliRunner().invoke(main, [*options, *map(str, paths)], catch_exceptions=False)

    return ran


@pytest.fixture
def report(tmp_path: Path) -> Callable[[Any], Any]:
    def reported(value: Any) -> Any:
        (tmp_path / "vectors.json").write_text(json.dumps(value))
        return run_file(tmp_path / "vectors.json")

    return reported


def with_result(file: dict[str, Any], result: str, **changed: Any) -> dict[str, Any]:
    file = copy.deepcopy(file)
    for test in file["testGroups"][0]["tests"]:
        test.update(changed, result=result)
    return file


def spoiled(file: dict[str, Any]) -> dict[str, Any]:
    """*file* with the first numeral of every answer changed."""
    file = copy.deepcopy(file)
    for test in file["testGroups"][0]["tests"]:
        name = next(name for name in ANSWERS if test.get(name))
        answer = test[name]
        test[name] = [(answer[0] + 1) % 10, *answer[1:]] if isinstance(answer, list) else flip(answer)
    return file


def flip(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


# --- right and wrong answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", GOOD.values(), ids=GOOD)
def test_right_answers_pass(report: Callable[[Any], Any], file: dict[str, Any]) -> None:
    done = report(file)
    assert (done.passed, done.failures, dict(done.skipped)) == (file["numberOfTests"], [], {})


@pytest.mark.parametrize("file", GOOD.values(), ids=GOOD)
def test_a_wrong_answer_ends_with_1(run: Run, file: dict[str, Any]) -> None:
    done = run(spoiled(file))
    assert done.exit_code == 1
    assert f"0 passed, {file['numberOfTests']} failed, 0 skipped" in done.output
    assert "FAILED tcId 1: " in done.output


@pytest.mark.parametrize("file", GOOD.values(), ids=GOOD)
def test_what_is_accepted_and_invalid_ends_with_1(run: Run, file: dict[str, Any]) -> None:
    done = run(with_result(file, "invalid"))
    assert done.exit_code == 1
    assert "accepted, and it is invalid" in done.output


@pytest.mark.parametrize("file", [file for name, file in GOOD.items() if not name.startswith(("AES-FF1", "HKDF"))])
def test_what_is_refused_and_invalid_passes(report: Callable[[Any], Any], file: dict[str, Any]) -> None:
    done = report(with_result(spoiled(file), "invalid"))
    assert (done.passed, done.failures) == (1, [])


@pytest.mark.parametrize("file", GOOD.values(), ids=GOOD)
def test_what_is_acceptable_may_go_either_way(report: Callable[[Any], Any], file: dict[str, Any]) -> None:
    for one in (file, spoiled(file)):
        done = report(with_result(one, "acceptable"))
        assert (done.passed, done.failures) == (file["numberOfTests"], [])


@pytest.mark.parametrize(
    "file",
    [
        wycheproof("AES-GCM", {**GCM, "iv": "", "result": "invalid"}),
        wycheproof("AES-GCM", {**GCM, "key": "00" * 15, "result": "invalid"}),
        wycheproof("AES-WRAP", {"key": KEY, "msg": "00", "ct": "", "result": "invalid"}),
        wycheproof("HKDF-SHA-1", {**HKDF, "size": 255 * 20 + 1, "okm": "", "result": "invalid"}),
        wycheproof("EDDSA", {**SIGNATURE, "sig": SIGNATURE["sig"] + "00", "result": "invalid"}, publicKey=PUBLIC),
        wycheproof("AES-FF1", {**FF1, "msg": "012345678x", "result": "invalid"}, **DIGITS),
        wycheproof("AES-FF1", {**FF1, "msg": "", "ct": "", "result": "invalid"}, **DIGITS),
        wycheproof("AES-FF1", {**FF1, "key": "00", "ct": "", "result": "invalid"}, **DIGITS),
        wycheproof("AES-FF1", {**FF1, "msg": [-1] * 9, "ct": [1] * 9, "result": "invalid"}, radix=10),
        wycheproof("AES-FF1", {**FF1, "msg": [10] * 9, "ct": [1] * 9, "result": "invalid"}, radix=10),
    ],
)
def test_parameters_that_are_invalid_have_to_be_refused(report: Callable[[Any], Any], file: dict[str, Any]) -> None:
    assert report(file).passed == 1


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (wycheproof("AES-GCM", {**GCM, "iv": "00"}), "only nonces of 8 to 128 bytes are taken"),
        (wycheproof("AES-GCM-SIV", {**GCM_SIV, "iv": "00"}), "only nonces of 12 bytes are taken"),
        (wycheproof("AES-GCM", {**GCM, "key": "00"}), "only AES keys of 16, 24 or 32 bytes are taken"),
        (wycheproof("AES-GCM", {**GCM, "tag": GCM["tag"][:24]}), "only whole tags are taken, of 16 bytes"),
        (wycheproof("AES-SIV-CMAC", {**SIV, "key": "00" * 16}), "only SIV keys of 32, 48 or 64 bytes are taken"),
        (wycheproof("AES-FF1", {**FF1, "msg": "12", "ct": "34"}, **DIGITS), "only domains of 1,000,000 values"),
        (wycheproof("AES-FF1", {**FF1, "msg": "1" * 10_001}, **DIGITS), "only values of up to 10,000 numerals"),
        (
            wycheproof("AES-FF1", {**FF1, "msg": "0000000000", "ct": "0000000000"}, radix=10, alphabet="0012345678"),
            "the alphabet has a letter twice, and the text holds it",
        ),
        (wycheproof("EDDSA", SIGNATURE, publicKey={"curve": "edwards448", "pk": "00"}), "the only signatures are"),
        (wycheproof("AES-CCM", {"anything": 1}), "the algorithm is not used here"),
        ([{**INCLUSION, "start": 0}], "the ledger has no proofs of subtrees"),
    ],
)
def test_what_is_not_taken_is_skipped_and_the_reason_told(run: Run, file: Any, reason: str) -> None:
    done = run(file)
    assert done.exit_code == 0
    assert "0 passed, 0 failed, 1 skipped" in done.output
    assert f"  skipped 1: {reason}" in done.output


def test_where_a_letter_stands_for_two_numerals_the_other_direction_is_tried(report: Callable[[Any], Any]) -> None:
    """As in aes_ff1_base85_test.json: '0' stands for 0 and 9 here, so only the decryption says one thing."""
    file = wycheproof("AES-FF1", {**FF1, "msg": "0123456780"}, radix=10, alphabet="0123456780")
    assert report(file).passed == 1
    assert len(report(with_result(file, "valid", ct="3433477484")).failures) == 1


def test_a_batch_that_differs_is_a_wrong_answer(report: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.protect.hazmat.ff1_batch.encrypt_batch", lambda ff1, rows, *tweaks: rows)
    done = report(GOOD["AES-FF1"])
    assert [failure.reason for failure in done.failures] == ["encrypt in a batch: other bytes than expected"] * 2


def test_without_numpy_no_batch_is_claimed(report: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    done = report(GOOD["AES-FF1"])
    assert (done.passed, done.failures) == (0, [])
    assert dict(done.skipped) == {"batches need numpy: pip install '.[tokens]' in the checkout of Troth": 2}


def test_what_openssl_does_not_have_is_skipped(report: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> bytes:
        raise UnsupportedAlgorithm("not here")

    monkeypatch.setattr(GcmSiv, "encrypt", missing)
    assert dict(report(GOOD["AES-GCM-SIV"]).skipped) == {"this build of OpenSSL does not have it": 1}


def test_a_primitive_that_breaks_down_is_a_wrong_answer(
    report: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Aead, "decrypt", lambda *_: {"one": 1}["another"])
    for result in ("valid", "invalid", "acceptable"):
        done = report(with_result(GOOD["AES-GCM"], result, iv="00" * 16 if result == "invalid" else GCM["iv"]))
        assert [failure.reason for failure in done.failures] == ["decrypt: ended with KeyError"]


# --- Merkle proofs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [INCLUSION, CONSISTENCY, [INCLUSION, CONSISTENCY]])
def test_proofs_that_hold_pass(run: Run, case: Any) -> None:
    done = run(case)
    assert done.exit_code == 0
    assert "0 failed, 0 skipped" in done.output


@pytest.mark.parametrize(
    "case",
    [
        {**INCLUSION, "leafIdx": 1, "wantErr": True},
        {**INCLUSION, "proof": ["AAAA"], "wantErr": True},
        {**CONSISTENCY, "size2": 2, "wantErr": True},
        {**CONSISTENCY, "size1": 0, "root1": "", "proof": None, "wantErr": True},
    ],
)
def test_proofs_that_are_to_be_refused_are(report: Callable[[Any], Any], case: dict[str, Any]) -> None:
    assert report(case).passed == 1
    assert len(report({**case, "wantErr": False}).failures) == 1


def test_the_published_proofs_pass(run: Run) -> None:
    folder = Path(__file__).parents[1] / "vectors/merkle"
    done = CliRunner().invoke(main, [str(folder / "inclusion.json"), str(folder / "consistency.json")])
    assert done.exit_code == 0
    assert "2 files: 196 passed, 0 failed, 0 skipped; 0 files not readable" in done.output


# --- files that are none ---------------------------------------------------------------------------------------------

DEEP = b"[" * 100_000
UNREADABLE: list[tuple[Any, str]] = [
    (b"", "not JSON: Expecting value at line 1, column 1"),
    (b"\xff\xfe\xfa", "not JSON: "),
    (json.dumps(GOOD["AES-GCM"]).encode()[:-20], "not JSON: "),
    (DEEP, "nested too deep"),
    (b'{"algorithm": "KW", "testGroups": ' + DEEP, "nested too deep"),
    (b"1" * 5_000, "not JSON: "),
    ([], "neither Wycheproof's format"),
    ({}, "neither Wycheproof's format"),
    ("text", "the file is not an object"),
    ([1], "case 1 is not an object"),
    ({"testGroups": []}, "the file has no 'algorithm'"),
    ({"algorithm": 7, "testGroups": []}, "the file: 'algorithm' is not text"),
    ({"algorithm": "KW", "testGroups": {}}, "the file: 'testGroups' is not a list"),
    ({"algorithm": "KW", "testGroups": [[]]}, "group 1 is not an object"),
    ({"algorithm": "KW", "testGroups": [{}]}, "group 1 has no 'tests'"),
    (wycheproof("KW", {"result": "maybe"}), "group 1, test 1: 'result' is not one of valid, invalid, acceptable"),
    (wycheproof("KW", {**WRAP, "key": "0"}), "group 1, test 1: 'key' is not hexadecimal"),
    (wycheproof("KW", WRAP, {**WRAP, "msg": None}), "group 1, test 2: 'msg' is not text"),
    (wycheproof("HKDF-SHA-1", {**HKDF, "size": True}), "group 1, test 1: 'size' is not a whole number"),
    (wycheproof("AES-FF1", FF1, radix=10, alphabet="01"), "group 1: 'alphabet' does not have as many letters"),
    (wycheproof("AES-FF1", {**FF1, "msg": [0.5]}, radix=10), "'msg' is not a list of whole numbers"),
    (wycheproof("EDDSA", SIGNATURE, publicKey=[]), "group 1: 'publicKey' is not an object"),
    ({**INCLUSION, "root": "!"}, "the file: 'root' is not base64"),
    ({**INCLUSION, "proof": [7]}, "the file: 'proof' is not base64"),
    ({**INCLUSION, "wantErr": 1}, "the file: 'wantErr' is not true or false"),
    ({"wantErr": True}, "the file has neither 'leafIdx' nor 'size1'"),
]


@pytest.mark.parametrize(("content", "told"), UNREADABLE)
def test_a_file_that_cannot_be_read_ends_with_2_and_says_where(run: Run, content: Any, told: str) -> None:
    done = run(content)
    assert done.exit_code == 2
    assert told in done.output
    assert "1 files not readable" in done.output


def test_a_file_that_is_not_there_or_too_large_ends_with_2(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    done = CliRunner().invoke(main, [str(tmp_path / "gone.json"), str(tmp_path), str(large)])
    assert done.exit_code == 2
    assert [told in done.output for told in ("No such file", "Is a directory", "larger than 32 MiB")] == [True] * 3


def test_a_wrong_answer_counts_for_more_than_a_file_that_cannot_be_read(run: Run) -> None:
    assert run(b"", spoiled(GOOD["KW"]), GOOD["KW"]).exit_code == 1


def test_what_a_stranger_wrote_does_not_reach_the_terminal_as_it_is(run: Run) -> None:
    done = run(wycheproof("\x1b[2J\ud800" + "x" * 500, {}), {**INCLUSION, "desc": "\x1b[2J\n", "leafIdx": 7})
    assert done.exit_code == 1
    assert "\x1b" not in done.output
    assert max(map(len, done.output.splitlines())) < 300


JUNK = st.sampled_from([None, True, -1, 2**70, 0.5, "", "0", "zz", "é", "00" * 40, [], [1], [None], {}, {"tests": 1}])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_file_it_is_judged_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    file: Any = copy.deepcopy(data.draw(st.sampled_from([*GOOD.values(), INCLUSION, CONSISTENCY])))
    for _ in range(data.draw(st.integers(1, 2))):
        holder, at = data.draw(st.sampled_from(list(places(file))))
        if data.draw(st.booleans()) and isinstance(holder, dict):
            del holder[at]
        else:
            holder[at] = copy.deepcopy(data.draw(JUNK))
    (tmp_path / "file.json").write_text(json.dumps(file))
    with contextlib.suppress(VectorsUnreadable):
        done = run_file(tmp_path / "file.json")
        assert not any("ended with" in failure.reason for failure in done.failures)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in *value*: what holds it, and under which key or number."""
    if isinstance(value, dict):
        inner = list(value.items())
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    return [(value, at) for at, _ in inner] + [place for _, one in inner for place in places(one)]


# --- what is told ----------------------------------------------------------------------------------------------------


def test_json_tells_the_same(run: Run) -> None:
    done = run(GOOD["KW"], spoiled(GOOD["KW"]), wycheproof("AES-GCM", {**GCM, "iv": "00"}), b"", options=("--json",))
    told = json.loads(done.output)
    assert done.exit_code == 1
    assert [(one["algorithm"], one["passed"], len(one["failed"]), one["skipped"]) for one in told["files"]] == [
        ("KW", 1, 0, {}),
        ("KW", 0, 1, {}),
        ("AES-GCM", 0, 0, {"only nonces of 8 to 128 bytes are taken": 1}),
    ]
    assert told["files"][1]["failed"][0] == {"test": "tcId 1", "reason": "wrap: other bytes than expected"}
    assert told["unreadable"][0]["reason"] == "not JSON: Expecting value at line 1, column 1"


def test_no_more_than_twenty_failures_of_a_file_are_written_out(run: Run) -> None:
    file = wycheproof("KW", *[{**WRAP, "ct": flip(WRAP["ct"])}] * 30)
    lines = run(file).output.splitlines()
    assert len([line for line in lines if line.startswith("  FAILED")]) == 21
    assert "  FAILED 10 more" in lines


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    path = tmp_path / "kw.json"
    path.write_text(json.dumps(GOOD["KW"]))
    command = [sys.executable, "-m", "troth.testing.vectors", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [f"{path} (KW): 1 passed, 0 failed, 0 skipped", "1 files: 1 passed, 0 failed, 0 skipped; 0 files not readable"],
    )
    assert subprocess.run(command[:-1], capture_output=True, check=False).returncode == 2


# --- all of Wycheproof ----------------------------------------------------------------------------------------------

OURS = re.compile(r"(aead_aes_siv_cmac|aes_(ff1_\w+|gcm|gcm_siv|kwp|wrap)|ed25519|hkdf_sha\d+|hmac_sha\w+)_test\.json")
REASONS = {
    "only domains of 1,000,000 values or more are taken",
    "only nonces of 8 to 128 bytes are taken",
    "the alphabet has a letter twice, and the text holds it",
}
"""Why a valid test is skipped: what Troth refuses on purpose, and what no text stands for."""


@pytest.mark.soak
def test_all_of_wycheproof_passes(tmp_path: Path) -> None:
    """As Debian has it; no package needs to be installed for it."""
    subprocess.run(["apt-get", "download", "-q", "librust-wycheproof-dev"], cwd=tmp_path, check=True)
    [package] = tmp_path.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path], check=True)
    files = sorted(path for path in tmp_path.rglob("*_test.json") if OURS.fullmatch(path.name))
    answer = CliRunner().invoke(main, ["--json", *map(str, files)])
    assert answer.exit_code == 0, answer.output[-2_000:]
    reports = json.loads(answer.output)["files"]
    assert len(reports) == len(files) > 30
    assert sum(report["passed"] for report in reports) > 50_000
    told = {reason for report in reports for reason in report["skipped"]}
    assert told == REASONS
