# SPDX-License-Identifier: Apache-2.0
"""A server of the tests: it takes connections, each in a thread of its own, until it is closed."""
import contextlib
import socket
import threading


class Listener:
    """Who derives says what becomes of a connection: talk(connection)."""

    def __init__(self, port=0, host="127.0.0.1"):
        self.connections, self.open, self.lock = 0, [], threading.Lock()
        self.listener = socket.create_server((host, port))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.append(connection)
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        raise NotImplementedError

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
