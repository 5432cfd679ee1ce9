// Text of the host, made harmless: names in certificates and configurations may come from anybody.

// Characters that are invisible, or change the direction of what is around them: controls and formats (Unicode's Cc, Cf, Zl, Zp),
// fillers, variation selectors. A tab and the end of a line are none.
const DECEIVING = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;

/** Shows what would deceive: U+202E becomes "\u{202e}". */
export function plain(text: string): string {
  return text.replace(DECEIVING, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}

/** Whether a text in JSON may hold such a character, as it is or escaped: most are ASCII, and ten thousand certificates are long. */
export function mayDeceive(json: string): boolean {
  return /[^\t\n -~]/.test(json) || json.includes('\\u');
}

/** The same of every string in an answer. */
export function plainly(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [plain(key), plainly(inner)]));
}
