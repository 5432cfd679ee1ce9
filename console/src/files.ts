// Files that the user chose, as they travel to certrebind's standard input. They are read when the command is run, and kept nowhere.

const text = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);
const isPem = (bytes: Uint8Array) => text(bytes).includes('-----BEGIN ');

/** Together in one; each PEM begins on a line of its own. */
export function together(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}

export const bytesOfText = (line: string): Uint8Array => new TextEncoder().encode(line);

const PKCS7 = '\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02'; // the object identifier of signed data (RFC 2315, section 14)

const starts = (bytes: Uint8Array, ...expected: number[]) => expected.every((byte, at) => bytes[at] === byte);

/** What follows the head of the outermost SEQUENCE (X.690, 8.1). */
const inside = (bytes: Uint8Array) => bytes.subarray(bytes[1]! < 0x80 ? 2 : 2 + (bytes[1]! & 0x7f));

/** The kinds of keys by their first fields: RFC 5958 (encrypted, plain), RFC 8017 A.1.2, RFC 5915. */
function keyLabel(bytes: Uint8Array): string {
  const fields = inside(bytes);
  if (starts(fields, 0x30)) return 'ENCRYPTED PRIVATE KEY';
  if (starts(fields, 2, 1, 1)) return 'EC PRIVATE KEY';
  return starts(fields, 2, 1, 0, 2) ? 'RSA PRIVATE KEY' : 'PRIVATE KEY';
}

const certificateLabel = (bytes: Uint8Array) => (text(bytes.subarray(0, 24)).includes(PKCS7) ? 'PKCS7' : 'CERTIFICATE');

/** DER as PEM (RFC 7468), so that a certificate and its key can follow each other. */
function asPem(bytes: Uint8Array, labelOf: (bytes: Uint8Array) => string): Uint8Array {
  if (isPem(bytes)) return bytes;
  const lines = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).match(/.{1,64}/g) ?? [];
  return bytesOfText(`-----BEGIN ${labelOf(bytes)}-----\n${lines.join('\n')}\n-----END ${labelOf(bytes)}-----\n`);
}

/** What `certrebind import -` reads: with a password its line first, then the file, then the key. */
export async function importInput(file: File, key: File | undefined, password: string): Promise<Uint8Array> {
  const line = password ? [bytesOfText(`${password}\n`)] : [];
  const certificate = await bytesOf(file);
  if (!key) return together(...line, certificate);
  return together(...line, asPem(certificate, certificateLabel), bytesOfText('\n'), asPem(await bytesOf(key), keyLabel));
}

/** Has the browser save it. */
export function save(bytes: Uint8Array, name: string): void {
  const address = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'application/octet-stream' }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
