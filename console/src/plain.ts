// Text of the host, made harmless: names in certificates and configurations may come from anybody.

// Characters that are invisible, or change the direction of what is around them (Unicode's Cc, Cf, and line separators).
const DECEIVING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Shows what would deceive: U+202E becomes "\u{202e}". */
export function plain(text: string): string {
  return text.replace(DECEIVING, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** Whether a text in JSON may hold such a character, as it is or escaped: most do not, and ten thousand certificates are long. */
export function mayDeceive(json: string): boolean {
  return json.search(DECEIVING) >= 0 || json.includes('\\u');
}

/** The same of every string in an answer. */
export function plainly(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [plain(key), plainly(inner)]));
}
