# SPDX-License-Identifier: Apache-2.0
"""Who keeps blobs at an S3 server: Ceph's gateway with its objects in memory, and the servers in front of it."""
import os
import subprocess
import sys

from harness import tools
from harness.servers import Berth, DockerRegistry

sys.path.insert(0, str(tools.ROOT / "tests" / "harness"))
import s3 as client  # noqa: E402  the tests' own: signed requests

MEMORY_BYTES = 12 * 2**30  # the most that the gateway's objects may have


class Gateway:
    """One that lives as long as the row: tests/tools/with-ceph, beside a command that waits."""

    @staticmethod
    def find():
        for name in ("radosgw", "ceph-osd", "ceph-mon", "ceph-mgr", "ceph"):
            tools.system_tool(name, "ceph-common" if name == "ceph" else name)

    def __init__(self):
        self.process = subprocess.Popen(
            [str(tools.ROOT / "tests/tools/with-ceph"), "sh", "-c", 'echo "$BERTH_TEST_S3"; cat'],
            env={**os.environ, "CEPH_BYTES": str(MEMORY_BYTES)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.url, self.bucket, self.access_key, self.secret_key = self.process.stdout.readline().split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)

    def presigned(self, key):
        return client.presign(self.url, self.access_key, self.secret_key, f"/{self.bucket}/{key}")

    def aws(self, *arguments):
        """Runs AWS's own client."""
        env = {
            **os.environ, "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": client.REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # the gateway does not know the newer checksums
        }
        done = subprocess.run(
            [str(tools.awscli()), "--endpoint-url", self.url, *arguments], env=env, capture_output=True, text=True, timeout=600,
        )
        if done.returncode:
            raise RuntimeError(f"aws: {done.stderr.strip()[-300:]}")


class BerthS3(Berth):
    """Blobs and uploads in the gateway's bucket, and if so wanted pulls sent on to it."""

    def __init__(self, directory, gateway, redirect=False):
        super().__init__(directory)
        self.gateway, self.redirect = gateway, redirect

    def environment(self):
        env = {
            **super().environment(), "BERTH_STORAGE_DRIVER": "s3", "BERTH_STORAGE_S3_ENDPOINT": self.gateway.url,
            "BERTH_STORAGE_S3_BUCKET": self.gateway.bucket, "BERTH_STORAGE_S3_PREFIX": self.directory.name,
            "BERTH_STORAGE_S3_ACCESS_KEY": self.gateway.access_key, "BERTH_STORAGE_S3_SECRET_KEY": self.gateway.secret_key,
        }
        if self.redirect:
            env["BERTH_STORAGE_S3_REDIRECT_NETWORKS"] = "127.0.0.0/8"
        return env


class DockerRegistryS3(DockerRegistry):
    def __init__(self, directory, gateway):
        super().__init__(directory)
        self.gateway = gateway

    def environment(self):
        return {**super().environment(), "AWS_CA_BUNDLE": ""}  # with one it does not start

    def storage(self):
        gateway = self.gateway
        return (f"{{accesskey: {gateway.access_key}, secretkey: {gateway.secret_key}, region: {client.REGION}, "
                f"regionendpoint: {gateway.url}, bucket: {gateway.bucket}, secure: false, v4auth: true, rootdirectory: /{self.directory.name}}}")

    def command(self):
        config = self.directory / "config.yml"
        config.write_text(self.config(f"s3: {self.storage()}"))
        return [str(self.binary), "serve", str(config)]
