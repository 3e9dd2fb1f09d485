# SPDX-License-Identifier: Apache-2.0
"""The object model of the black-box tests.

Registry    one server process with its own port, data directory and database   registry.py
Client      who speaks to it: credentials, tokens, checked answers               client.py
Repository  the OCI verbs on one repository name                                 client.py
Upload      one upload session                                                   client.py
Content     blobs, manifests and indexes built in memory                         oci.py
Wire        raw bytes on a socket                                                wire.py
free_port   a port that stays this process's own                                 port.py
Database    a fresh PostgreSQL database per registry                             database.py
Authority   a private CA for TLS tests                                           tls.py
"""
