# SPDX-License-Identifier: Apache-2.0
"""A TLS hello on the plain port: clients try https first; silence would make each of them slow."""
import ssl

from harness.wire import Wire, client_hello


def test_hello_is_answered_or_closed_at_once(registry):
    """containers/image with --tls-verify=false does this on every run, ggcr too."""
    with Wire(registry) as wire:
        wire.send(client_hello())
        data = wire.read_all()
        assert data == b"" or data.startswith(b"HTTP/1.1 400 ") or data[0] == 0x15, data[:100]


def test_hello_in_pieces(registry):
    hello = client_hello()
    for cut in (1, 2, 3, 5, 6, 50):
        with Wire(registry) as wire:
            wire.send(hello[:cut])
            wire.send(hello[cut:])
            wire.read_all()


def test_a_real_client_fails_at_once(registry):
    for _ in range(20):
        with registry.connect(20) as plain:
            context = ssl.create_default_context()
            try:
                context.wrap_socket(plain, server_hostname="localhost")
                raise AssertionError("a handshake on the plain port")
            except (ssl.SSLError, OSError) as problem:
                assert not isinstance(problem, TimeoutError)
