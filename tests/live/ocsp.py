"""OCSP responses of the tests' authority."""
import datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from pki import utc_now


def ocsp_response(authority, certificate):
    """A response that says good, as DER."""
    now = utc_now()
    return (ocsp.OCSPResponseBuilder().add_response(
        cert=certificate.leaf, issuer=authority.intermediate, algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD, this_update=now,
        next_update=now + datetime.timedelta(days=7), revocation_time=None,
        revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.HASH,
                                             authority.intermediate)
            .sign(authority.intermediate_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER))
