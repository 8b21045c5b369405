"""What is compared: the simulator itself, nginx in front of it, Troupe in front of it. Each runs for the whole bench."""

import contextlib
import getpass
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import time

from . import processes

NGINX_CONF = pathlib.Path(__file__).resolve().parent.parent / "nginx.conf"
UPSTREAM_KEY = "sk-sim-1"
START_SECONDS = 20


class Unavailable(Exception):
    """A target that cannot take part. The text says why, and what would help."""


class Target:
    """A running server."""

    def __init__(self, name, command, address, key, directory, env=None):
        self.name = name
        self.key = key
        self.log = directory / f"{name}.log"
        self.address_file = address if isinstance(address, pathlib.Path) else None
        self.address = None if self.address_file else address
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), cwd=directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=_environment() | (env or {}))

    def wait_until_ready(self, path):
        """Waits until a GET of `path` is answered by the server, and not with a fault."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended at once (exit code {self.process.returncode}):\n{self.tail()}")
            if self._answers(path):
                return self
            time.sleep(0.02)
        raise Unavailable(f"{self.name} did not answer in {START_SECONDS} s:\n{self.tail()}")

    def _answers(self, path):
        if self.address_file:
            if not self.address_file.exists() or not self.address_file.read_text().strip():
                return False
            self.address = self.address_file.read_text().split()[0]
        connection = http.client.HTTPConnection(self.address, timeout=2)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {self.key}"})
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()

    @property
    def url(self):
        return f"http://{self.address}"

    def pids(self):
        return processes.tree(self.process.pid)

    def cpu_us(self):
        return processes.cpu_us(self.pids())

    def pss_kib(self):
        return processes.pss_kib(self.pids())

    def tail(self):
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_simulator(binary, directory):
    """The upstream. On its own it is also the target `direct`."""
    address = free_address()
    command = [binary, "--listen", address, "--workers", "2"]
    return Target("direct", command, address, UPSTREAM_KEY, directory).wait_until_ready("/v1/models")


def start_nginx(upstream, directory):
    nginx = program("nginx")
    directory = _room(directory, "nginx")
    address = free_address()
    conf = NGINX_CONF.read_text()
    for name, value in [("@LISTEN@", address), ("@UPSTREAM@", upstream.address), ("@USER@", getpass.getuser())]:
        conf = conf.replace(name, value)
    (directory / "nginx.conf").write_text(conf)
    command = [nginx, "-p", f"{directory}/", "-c", "nginx.conf", "-e", "error.log"]
    return Target("nginx", command, address, UPSTREAM_KEY, directory).wait_until_ready("/v1/models")


def start_troupe(binary, upstream, models, directory, name="troupe", settings=None):
    """Troupe as it comes: keys, limits and call records are on by default. `settings` are variables with more."""
    if not binary.exists():
        raise Unavailable(f"no troupe at {binary}: build it, or name it with --troupe-bin")
    directory = _room(directory, name)
    key = "sk-bench-" + secrets.token_hex(24)
    (directory / "config.toml").write_text(_troupe_conf(upstream, models, directory))
    env = {
        "TROUPE_API_KEY": key,
        "TROUPE_ADMIN_TOKEN": secrets.token_hex(24),
        "TROUPE_ADMIN_PASSWORD": secrets.token_hex(24),
        "TROUPE_ADDR_FILE": str(directory / "address"),
        **(settings or {}),
    }
    # config.toml of the working directory is read by default
    troupe = Target(name, [binary.resolve(), "serve"], directory / "address", key, directory, env)
    return troupe.wait_until_ready("/health/ready")


def _environment():
    """Next to nothing of ours: a provider's key among the variables would switch that provider on."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


def _troupe_conf(upstream, models, directory):
    quoted = {name: json.dumps(value) for name, value in {
        "database": f"sqlite://{directory}/troupe.db",
        "media": f"file://{directory}/media",
        "spool": f"{directory}/spool",
        "base_url": f"{upstream.url}/v1",
    }.items()}
    return f"""[server]
listen = "127.0.0.1:0"

[storage]
database_url = {quoted["database"]}
media_url = {quoted["media"]}

[calls]
spool_dir = {quoted["spool"]}

[[provider]]
name = "sim"
kind = "openai"
base_url = {quoted["base_url"]}
tokens = ["sk-sim-1", "sk-sim-2"]
models = {json.dumps(models)}
"""


def _room(directory, name):
    room = directory / name
    room.mkdir()
    return room


def free_address():
    """An address on which nobody listens at the moment."""
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


def program(name):
    """The path of a program whose Debian package has its name; that is installed where it is missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    install = ["install", "-y", "--no-install-recommends", name]
    for step in (None, install, ["update"], install):
        if step:
            _apt_get(step)
        found = shutil.which(name, path=path)
        if found:
            return found
    raise Unavailable(f"{name} is missing and could not be installed: apt-get install {name}")


def _apt_get(arguments):
    """Failing is no error here: nginx is then missing still, and that is said."""
    command = ([] if os.geteuid() == 0 else ["sudo", "-n"]) + ["apt-get", *arguments]
    with contextlib.suppress(OSError):
        subprocess.run(command, stdout=subprocess.DEVNULL, env=_environment() | {"DEBIAN_FRONTEND": "noninteractive"})
