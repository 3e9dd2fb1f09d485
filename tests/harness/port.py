# SPDX-License-Identifier: Apache-2.0
"""Ports that are one's own: bound, so that nobody else is given them, but not listening, so that a server may."""
import socket

claims = []  # of this process, until it ends


def claim_port():
    claim = socket.socket()
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    claim.bind(("127.0.0.1", 0))
    return claim


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    """Where a server that sets SO_REUSEADDR may listen, and start again; or where nobody does."""
    claims.append(claim_port())
    return claims[-1].getsockname()[1]
