# SPDX-License-Identifier: Apache-2.0
"""A machine with a service manager: the real systemd as process 1 of namespaces of its own, over a copy-on-write view of this machine's
files. What happens in it stays in it, and ends with it; only the network is this machine's."""
import os
import shutil
import signal
import subprocess
import textwrap
from pathlib import Path

from harness.wait import wait_until

SYSTEMD = Path("/lib/systemd/systemd")

# In namespaces of its own: $1 is an empty folder, $2 what to start. Everything written goes to memory.
BEGIN = textwrap.dedent("""\
    set -eu
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$1"
    mkdir "$1/upper" "$1/work" "$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
    cd "$1/root"
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs dev
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    for node in null zero full random urandom tty; do : >"dev/$node"; mount --bind "/dev/$node" "dev/$node"; done
    mount -t tmpfs -o mode=755 tmpfs run
    pivot_root . mnt
    umount -l mnt
    mount --make-rshared /
    exec env -i container=tests PATH=/usr/sbin:/usr/bin:/sbin:/bin "$0" --system "--unit=$2" --log-target=journal --show-status=no
    """)


def missing():
    """Why there can be none here, or nothing."""
    if os.geteuid() != 0:
        return "only root can make a machine"
    if not SYSTEMD.exists():
        return "there is no systemd"
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--ipc", "--uts", "sh", "-ec",
         "mount --make-rprivate /; mount -t tmpfs tmpfs /mnt; mkdir /mnt/u /mnt/w /mnt/r; mount -t cgroup2 cgroup2 /mnt/r;"
         " mkdir /mnt/o; mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/u,workdir=/mnt/w /mnt/o"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return f"this kernel has not what a machine needs: {tried.stderr.strip()}" if tried.returncode else ""


class Machine:
    """`files` are laid over this machine's: a dictionary of absolute paths to texts. `target` is the unit to start."""

    def __init__(self, folder, target, files):
        self.folder, self.target, self.files, self.process, self.init = folder, target, files, None, None

    def start(self):
        self.folder.mkdir()
        console = (self.folder.parent / "console").open("wb")
        begin = BEGIN.replace("pivot_root . mnt", self.laying() + "pivot_root . mnt")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--cgroup", "--ipc", "--uts",
             "sh", "-c", begin, SYSTEMD, self.folder, self.target],
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True)
        console.close()
        wait_until(self.is_up, timeout=60, what="the service manager")

    def laying(self):
        """Shell lines that write the files."""
        written = []
        for path, content in self.files.items():
            source = self.folder.parent / ("file-" + path.strip("/").replace("/", "-"))
            if isinstance(content, Path):
                shutil.copy(content, source)
            else:
                source.write_text(content)
            written.append(f"install -D -m {0o755 if os.access(source, os.X_OK) else 0o644:o} '{source}' '.{path}'\n")
        return "".join(written)

    def is_up(self):
        assert self.process.poll() is None, self.console()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
            return False
        self.init = children[0]
        return self.run("systemctl", "is-active", self.target, check=False).stdout.strip() == "active"

    def run(self, *command, check=True, timeout=60):
        """In the machine, as root."""
        assert self.process.poll() is None, self.console()
        done = subprocess.run(["nsenter", "-t", self.init, "-m", "-p", "-i", "-u", *map(str, command)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}\n{self.console()}\n{self.journal()}"
        return done

    def show(self, unit, name):
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def journal(self):
        return self.run("journalctl", "--no-pager", "--boot", "--lines=40", check=False).stdout + self.run("systemctl", "--failed", "--no-pager", check=False).stdout

    def console(self):
        return (self.folder.parent / "console").read_text(errors="replace")[-4000:]

    def stop(self):
        """Process 1 is killed, and with it all others."""
        if self.process:
            if self.init:
                os.kill(int(self.init), signal.SIGKILL)
            self.process.kill()
            self.process.wait()
