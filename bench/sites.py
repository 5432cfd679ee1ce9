"""Makes a prefix with N HTTPS sites for nginx: one file a site, each with a certificate of its own or all
with one wildcard, and a renewed certificate that is not in place yet."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.utcnow()


class Authority:
    """A throwaway CA that signs P-256 certificates."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench Root")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name, days):
        """PEM of leaf and root, and of the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .sign(self.key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        chain = leaf.public_bytes(pem) + self.certificate.public_bytes(pem)
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return chain, private


def write(path, data, mode=0o644):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)


SITE = """server {{
    listen 127.0.0.1:{port} ssl;
    server_name {name};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    root /var/www/html;
    location / {{
        try_files $uri $uri/ =404;
    }}
}}
"""

MAIN = """daemon on;
worker_processes 2;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    server_names_hash_max_size 262144;
    server_names_hash_bucket_size 128;
    client_body_temp_path {prefix}/t1;
    proxy_temp_path {prefix}/t2;
    fastcgi_temp_path {prefix}/t3;
    uwsgi_temp_path {prefix}/t4;
    scgi_temp_path {prefix}/t5;
    include {prefix}/sites/*;
}}
"""


def make(prefix, count, port, wildcard, site=SITE, main=MAIN, main_name="nginx.conf"):
    """Gives (a Renewer of the measured certificate, every file that a scan has to read)."""
    authority = Authority()
    for directory in ("sites", "certs", "store", "state"):
        os.makedirs(f"{prefix}/{directory}", mode=0o700, exist_ok=True)
    files = [f"{prefix}/{main_name}"]
    write(f"{prefix}/{main_name}", main.format(prefix=prefix, port=port).encode())
    names = [f"s{i:05}.example.com" for i in range(count)]
    if wildcard:
        chain, key = authority.issue("*.example.com", 60)
        write(f"{prefix}/certs/wild.pem", chain)
        write(f"{prefix}/certs/wild.key", key, 0o600)
        files.append(f"{prefix}/certs/wild.pem")
    for name in names:
        own = "wild" if wildcard else name
        if not wildcard:
            chain, key = authority.issue(name, 60)
            write(f"{prefix}/certs/{name}.pem", chain)
            write(f"{prefix}/certs/{name}.key", key, 0o600)
            files.append(f"{prefix}/certs/{name}.pem")
        text = site.format(
            port=port,
            name=name,
            certificate=f"{prefix}/certs/{own}.pem",
            key=f"{prefix}/certs/{own}.key",
        )
        write(f"{prefix}/sites/{name}", text.encode())
        files.append(f"{prefix}/sites/{name}")
    write(
        f"{prefix}/certrebind.toml",
        (f'[[store]]\nkind = "directory"\npath = "{prefix}/store"\n' if wildcard else "").encode(),
    )
    name = "*.example.com" if wildcard else names[count // 2]
    old = f"{prefix}/certs/{'wild' if wildcard else name}.pem"
    return Renewer(authority, prefix, name, old), files


class Renewer:
    """`old` is bound; `new` lies in a store of its own, so that a wildcard is repointed in every file; a single
    certificate is brought to where its site looks for it."""

    def __init__(self, authority, prefix, name, old):
        self.authority, self.prefix, self.name, self.old = authority, prefix, name, old
        self.count = 0
        self.renew()

    def renew(self):
        self.count += 1
        self.new = f"{self.prefix}/store/new-{self.count}.pem"
        chain, key = self.authority.issue(self.name, 90)
        write(self.new, chain)
        write(self.new.replace(".pem", ".key"), key, 0o600)

    def rebound(self):
        """What is new is bound now, and there is a newer one."""
        if self.name.startswith("*"):
            self.old = self.new
        self.renew()
