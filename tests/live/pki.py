"""A certificate authority for tests, and the certificates that it issues."""
import datetime
import hashlib
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from files import write

_KEYS = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
}


def utc_now():
    """Naive UTC, as the builder of certificates takes it."""
    return datetime.datetime.utcnow().replace(microsecond=0)


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Certificate:
    """A leaf with its chain and key, as PEM texts."""

    def __init__(self, leaf, chain, key):
        self.leaf = leaf
        self.key = key
        self.leaf_pem = _pem(leaf)
        self.chain_pem = "".join(_pem(above) for above in chain)
        self.fullchain_pem = self.leaf_pem + self.chain_pem
        self.key_pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()).decode()
        self.der = leaf.public_bytes(serialization.Encoding.DER)
        self.thumbprint = hashlib.sha256(self.der).hexdigest()
        self.sha1 = hashlib.sha1(self.der).hexdigest()

    def encrypted_key_pem(self, passphrase="secret"):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode())).decode()

    def write(self, directory, name="fullchain.pem", key_name="privkey.pem"):
        """Certificate with chain, and key: (path, path)."""
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        return (write(directory / name, self.fullchain_pem),
                write(directory / key_name, self.key_pem, 0o600))

    def write_combined(self, path, key_first=False, extra=""):
        parts = [self.key_pem, self.fullchain_pem] if key_first else [
            self.fullchain_pem, self.key_pem]
        return write(path, "".join(parts) + extra, 0o600)


class Authority:
    """A root and an intermediate CA that signs what is asked for."""

    def __init__(self, name="Certrebind Test"):
        self.root_key = _KEYS["ec"]()
        self.root = self._sign(common_name(name + " Root"), self.root_key.public_key(),
                               common_name(name + " Root"), self.root_key, ca=True, days=3650)
        self.intermediate_key = _KEYS["ec"]()
        self.intermediate = self._sign(common_name(name + " Issuer"), self.intermediate_key.public_key(),
                                       self.root.subject, self.root_key, ca=True, days=3650)
        self.root_pem = _pem(self.root)
        self.intermediate_pem = _pem(self.intermediate)

    @staticmethod
    def _sign(subject, public_key, issuer, issuer_key, *, ca=False, days=90, not_before=None,
              not_after=None, names=(), eku=None, must_staple=False,
              digest=hashes.SHA256()):
        start = not_before or utc_now() - datetime.timedelta(days=1)
        end = not_after or utc_now() + datetime.timedelta(days=days)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
                   .public_key(public_key).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        usages = {"server": [ExtendedKeyUsageOID.SERVER_AUTH],
                  "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
                  "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
                  "email": [ExtendedKeyUsageOID.EMAIL_PROTECTION]}.get(eku)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        if must_staple:
            builder = builder.add_extension(
                x509.TLSFeature([x509.TLSFeatureType.status_request]), False)
        return builder.sign(issuer_key, digest)

    def issue(self, names, days=90, key="ec", not_before=None, not_after=None, eku="server",
              ca=False, must_staple=False, chain=True, self_signed=False,
              digest=hashes.SHA256()):
        """`not_before`, `not_after`: naive UTC datetimes. `chain=False` leaves the issuer out."""
        names = [names] if isinstance(names, str) else list(names)
        private = _KEYS[key]() if isinstance(key, str) else key
        issuer, issuer_key = self.intermediate.subject, self.intermediate_key
        if self_signed:
            issuer, issuer_key = common_name(names[0][:64]), private
        leaf = self._sign(common_name(names[0][:64]), private.public_key(), issuer, issuer_key, ca=ca,
                          days=days, not_before=not_before, not_after=not_after, names=names,
                          eku=eku, must_staple=must_staple, digest=digest)
        above = [self.intermediate] if chain and not self_signed else []
        return Certificate(leaf, above, private)

    def pair(self, names, **options):
        """OLD and its renewal."""
        return (self.issue(names, days=20, **options), self.issue(names, days=90, **options))


def load_pem(certificate, key):
    """Leaf, chain and key from the files of a renewer: what Certificate takes."""
    end = "-----END CERTIFICATE-----\n"
    blocks = [block + end for block in pathlib.Path(certificate).read_text().split(end) if "BEGIN" in block]
    leaf, *chain = (x509.load_pem_x509_certificate(block.encode()) for block in blocks)
    return leaf, chain, serialization.load_pem_private_key(pathlib.Path(key).read_bytes(), None)
