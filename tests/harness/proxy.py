# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on loopback that cuts connections when it is told to, or when a client says a certain thing."""
import selectors
import socket
import threading


class Proxy:
    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0  # connections that somebody tried to make
        self.open = True  # False: closes each new one at once
        self.refuse_word = None  # connections whose client says this are closed
        self.cut_after = None  # passes what holds this on, and closes both sides
        self.pairs = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            if not self.open:
                client.close()
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.add((client, server))
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def carry(self, client, server):
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(client, selectors.EVENT_READ)
                ready.register(server, selectors.EVENT_READ)
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(65536)
                        if not data or not self.pass_on(key.fileobj is client, data, server, client):
                            return
        except (OSError, ValueError):
            pass
        finally:
            self.close_pair((client, server))

    def pass_on(self, from_client, data, server, client):
        if not from_client:
            client.sendall(data)
            return True
        if self.refuse_word and self.refuse_word in data:
            return False
        server.sendall(data)
        if self.cut_after and self.cut_after in data:
            self.cut_after = None
            server.recv(1)  # it has been done
            return False
        return True

    def close_pair(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def cut(self):
        """Closes every connection; new ones come through if `open`."""
        for pair in list(self.pairs):
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.open = False
        self.listener.close()
        self.cut()
