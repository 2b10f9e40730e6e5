"""The embedded cluster's part in the packet filter, and addresses of other networks."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from sandbox import components, network, paths, preflight, processes
from sandbox.errors import SandboxError

SAVED = """\
*mangle
:PREROUTING ACCEPT [0:0]
:KUBE-KUBELET-CANARY - [0:0]
-A PREROUTING -d 10.244.0.0/24 ! -i airflow-sandbox -m comment --comment airflow-sandbox -j DROP
COMMIT
*filter
:INPUT ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-FORWARD - [0:0]
-A INPUT -p tcp -m comment --comment "not the airflow-sandbox" -j ACCEPT
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -o docker0 -j DOCKER
-A KUBE-FORWARD -j DROP
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 10.0.0.0/8 -j ACCEPT
COMMIT
"""


def test_only_rules_of_the_sandbox_are_removed() -> None:
    assert network._removal(SAVED).splitlines() == [
        "*mangle",
        "-D PREROUTING -d 10.244.0.0/24 ! -i airflow-sandbox "
        "-m comment --comment airflow-sandbox -j DROP",
        "-F KUBE-KUBELET-CANARY",
        "-X KUBE-KUBELET-CANARY",
        "COMMIT",
        "*filter",
        '-D FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
        "-F KUBE-FORWARD",
        "-X KUBE-FORWARD",
        "COMMIT",
    ]


def test_nothing_to_remove() -> None:
    assert network._removal("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n") == ""


def test_every_own_rule_is_found_again() -> None:
    for _table, *rule in network._RULES:
        assert network._is_ours(" ".join(["-A", *rule]))


def test_the_mark_of_another_boot_owns_no_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "mark"
    monkeypatch.setattr(network, "_OWNERSHIP", mark)
    assert not network._is_owner()
    mark.write_text("another boot")
    assert not network._is_owner()
    mark.write_text(processes.boot())
    assert network._is_owner()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("0100F40A", "10.244.0.1"),
        ("00000000000000000000000001000000", "::1"),
        ("0000000000000000FFFF00000100007F", "::ffff:7f00:1"),
    ],
)
def test_addresses_as_the_kernel_prints_them(text: str, address: str) -> None:
    assert preflight._address(text) in (address, address.replace("7f00:1", "127.0.0.1"))


ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
tun0\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0
airflow-sandbox\t0000600A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def _problems(monkeypatch: pytest.MonkeyPatch, table: str) -> list[str]:
    monkeypatch.setattr(Path, "read_text", lambda _: table)
    problems: Iterator[str] = preflight._networks()
    return list(problems)


def test_routes() -> None:
    assert list(preflight._routes(ROUTES)) == [
        ("eth0", IPv4Network("0.0.0.0/0")),
        ("tun0", IPv4Network("0.0.0.0/1")),
        ("airflow-sandbox", IPv4Network("10.96.0.0/16")),
        ("eth0", IPv4Network("192.0.2.0/24")),
    ]


def test_own_and_default_routes_are_no_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _problems(monkeypatch, ROUTES) == []


def test_an_overlap_is_named_with_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    vpn = "tun0\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n"
    pods, services = _problems(monkeypatch, ROUTES + vpn)
    assert "10.0.0.0/8 on tun0" in pods
    assert paths.POD_NETWORK in pods
    assert paths.SERVICE_NETWORK in services


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_no_exceptions_without_a_proxy(no_proxies: None) -> None:
    assert components.no_proxy() == {}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_exceptions_are_added_to_those_of_the_user(
    name: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "example.org,localhost")
    variables = components.no_proxy()
    expected = f"example.org,localhost,127.0.0.1,{paths.POD_NETWORK},{paths.SERVICE_NETWORK}"
    assert variables == {"NO_PROXY": expected, "no_proxy": expected}


def test_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(preflight._machine()) == []
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "aarch64" in next(preflight._machine())


def test_go_that_is_missing_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise SandboxError("no Go")

    monkeypatch.setattr("sandbox.toolchain.go_version", refuse)
    assert list(preflight._go()) == ["no Go"]
