# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, made with the openssl command."""
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Authority:
    """`certificate` is the CA's; issue() makes server certificates for 127.0.0.1 and localhost."""

    def __init__(self, directory):
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key = directory / "ca.key"
        self.certificate = directory / "ca.crt"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.key, "-out", self.certificate, "-days", "30", "-subj", "/CN=Berth test CA",
        )

    def issue(self, name="server", common_name="localhost"):
        """Returns (certificate, key); a second call with the same name replaces the files."""
        key = self.directory / f"{name}.key"
        request = self.directory / f"{name}.csr"
        certificate = self.directory / f"{name}.crt"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", f"/CN={common_name}",
        )
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
            "-CAcreateserial", "-out", certificate, "-days", "30", "-extfile", extensions,
        )
        return certificate, key


CA_CONFIG = """\
[ca]
default_ca = this
[this]
database = {index}
new_certs_dir = {folder}
serial = {serial}
crlnumber = {crlnumber}
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
organizationName = optional
commonName = optional
[client]
extendedKeyUsage = clientAuth
{alternatives}
"""


class ClientAuthority(Authority):
    """Issues client certificates of any names and times, and revokes them."""

    def __init__(self, directory):
        super().__init__(directory)
        self.index, self.serial, self.crlnumber = (directory / name for name in ("index", "serial", "crlnumber"))
        self.index.write_text("")
        self.serial.write_text("1000\n")
        self.crlnumber.write_text("01\n")
        self.crl = directory / "crl.pem"

    def ca(self, *arguments, alternatives=""):
        config = self.directory / "ca.conf"
        config.write_text(CA_CONFIG.format(
            index=self.index, folder=self.directory, serial=self.serial, crlnumber=self.crlnumber,
            alternatives=f"subjectAltName = {alternatives}" if alternatives else ""))
        openssl("ca", "-batch", "-config", config, "-cert", self.certificate, "-keyfile", self.key, *arguments)

    def client(self, name, subject=None, alternatives="", start="20200101000000Z", end="20491231235959Z"):
        """(certificate, key) of a client; `alternatives` as openssl writes them: URI:spiffe://x,DNS:y."""
        key, request, certificate = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
            "-subj", subject or f"/CN={name}")
        self.ca("-in", request, "-out", certificate, "-notext", "-startdate", start, "-enddate", end, "-extensions", "client",
                alternatives=alternatives)
        return certificate, key

    def revoke(self, certificate):
        self.ca("-revoke", certificate)

    def write_crl(self):
        self.ca("-gencrl", "-crldays", "30", "-out", self.crl)
        return self.crl
