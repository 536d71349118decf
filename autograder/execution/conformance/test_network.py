"""What can be reached from inside: nothing. One kernel."""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, attempt
from autograder.execution.conformance.bait import Bait


@attempt("""
    import socket
    socket.create_connection(("127.0.0.1", BAIT["tcp"]), timeout=2).close()
""")
def test_servers_of_the_machine_cannot_be_reached(bait: Bait, outcome: Outcome) -> None:
    """A server that listens on the machine's own loopback address cannot be reached."""
    assert outcome.refused, outcome
    assert not bait.was_reached()


@attempt("""
    import socket, time
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hello", ("127.0.0.1", BAIT["udp"]))
        time.sleep(0.2)
""")
def test_datagrams_do_not_leave(bait: Bait, outcome: Outcome) -> None:
    """A UDP datagram to a port of the machine does not arrive there."""
    assert outcome.cell is not None
    assert not bait.was_reached()


@attempt("""
    import socket
    return socket.getaddrinfo("example.org", 80)
""")
def test_names_are_not_looked_up(outcome: Outcome) -> None:
    """No name server answers."""
    assert outcome.error == "gaierror", outcome


@attempt("""
    import socket
    socket.create_connection(("192.0.2.1", 80), timeout=2).close()
""")
def test_internet_cannot_be_reached(outcome: Outcome) -> None:
    """There is no way out by IPv4: refused at once, not after a while."""
    assert outcome.refused, outcome
    assert outcome.error != "TimeoutError", outcome


@attempt("""
    import socket
    socket.create_connection(("2001:db8::1", 80), timeout=2).close()
""")
def test_internet_cannot_be_reached_by_ipv6(outcome: Outcome) -> None:
    """There is no way out by IPv6."""
    assert outcome.refused, outcome
    assert outcome.error != "TimeoutError", outcome


@attempt("""
    import socket
    return sorted(name for _, name in socket.if_nameindex())
""")
def test_only_interface_is_its_own_loopback(outcome: Outcome) -> None:
    """The only network interface is the sandbox's own loopback."""
    assert outcome.value == ["lo"], outcome


@attempt("""
    import socket
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\\0" + BAIT["abstract"])
""")
def test_abstract_sockets_of_the_machine_cannot_be_reached(bait: Bait, outcome: Outcome) -> None:
    """A unix socket of the machine without a path, as desktops and buses use, cannot be reached."""
    assert outcome.refused, outcome
    assert not bait.was_reached()


@attempt("""
    import socket
    def connect(path):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
    known = ("docker.sock", "containerd/containerd.sock", "dbus/system_bus_socket", "systemd/private")
    return succeeding(connect, [BAIT["unix"], *(f"/run/{name}" for name in known)])
""")
def test_unix_sockets_of_the_machine_cannot_be_reached(bait: Bait, outcome: Outcome) -> None:
    """No unix socket of the machine is visible: neither a container engine's nor the system bus."""
    assert outcome.value == [], outcome
    assert not bait.was_reached()


@attempt("""
    import socket
    socket.socket(40, socket.SOCK_STREAM).close()
""")
def test_host_of_a_virtual_machine_cannot_be_reached(outcome: Outcome) -> None:
    """AF_VSOCK, which no network namespace confines, is refused."""
    assert outcome.refused, outcome


@attempt("""
    import socket
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
""")
def test_packets_cannot_be_overheard(outcome: Outcome) -> None:
    """AF_PACKET, which reads and writes whole frames, is refused."""
    assert outcome.refused, outcome


@attempt("""
    import socket
    kinds = [(socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET, socket.IPPROTO_RAW), (socket.AF_INET6, 58)]
    return succeeding(lambda kind: socket.socket(kind[0], socket.SOCK_RAW, kind[1]).close(), kinds)
""")
def test_raw_packets_cannot_be_sent(outcome: Outcome) -> None:
    """Raw IP sockets are refused."""
    assert outcome.value == [], outcome


@attempt("""
    import socket
    usual = {1, 2, 10, 16}
    def make(pair):
        socket.socket(*pair).close()
    return succeeding(make, [(family, kind) for family in range(48) if family not in usual for kind in (1, 2, 3, 5)])
""")
def test_other_families_of_sockets_are_refused(outcome: Outcome) -> None:
    """Of all families only unix, IPv4, IPv6 and netlink sockets exist: the kernel's rarely used ones cannot be made."""
    assert outcome.value == [], outcome


@attempt("""
    import fcntl, socket, struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sH22x", b"lo", 0)
        now = fcntl.ioctl(handle, 0x8913, request)
        fcntl.ioctl(handle, 0x8914, now)
""")
def test_network_cannot_be_changed(outcome: Outcome) -> None:
    """Interfaces cannot be changed, not even the sandbox's own."""
    assert outcome.denied, outcome


@attempt("""
    import socket, struct
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        route.settimeout(2)
        link = struct.pack("BxHiII", 0, 0, 1, 1, 1)
        route.send(struct.pack("IHHII", 16 + len(link), 16, 5, 1, 0) + link)
        number = -struct.unpack("i", route.recv(4096)[16:20])[0]
    if number:
        raise OSError(number, os.strerror(number))
""")
def test_network_cannot_be_changed_by_netlink(outcome: Outcome) -> None:
    """Netlink, which the messaging library needs for looking, changes nothing."""
    assert outcome.denied, outcome


@attempt("""
    import socket, threading
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), timeout=2)
        other, _ = server.accept()
        client.sendall(b"works")
        received = other.recv(10).decode()
        client.close(), other.close()
    return received
""")
def test_loopback_works_inside(outcome: Outcome) -> None:
    """Programs of one notebook can talk to each other over 127.0.0.1."""
    assert outcome.value == "works", outcome
