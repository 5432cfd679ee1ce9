// Dates as the reader's browser writes them, and what is left until then.
import { _, counted } from './i18n';

export const DAY = 86_400_000; // ms

export const now = (): number => Date.now();

export function dateText(rfc3339: string): string {
  return rfc3339 === '' ? '' : new Date(rfc3339).toLocaleDateString(undefined, { year: 'numeric', month: 'long', day: 'numeric' });
}

export function timeText(rfc3339: string): string {
  return rfc3339 === '' ? '' : new Date(rfc3339).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** "in 19 days", "in 5 hours", "3 days ago". */
export function leftText(rfc3339: string, at = now()): string {
  const left = Date.parse(rfc3339) - at;
  const hours = Math.floor(Math.abs(left) / 3_600_000);
  const days = Math.floor(hours / 24);
  const amount = days > 1 ? counted(days, '$0 day', '$0 days') : counted(hours, '$0 hour', '$0 hours');
  return left < 0 ? _('$0 ago', amount) : _('in $0', amount);
}

/** How much of its life a certificate has left: 1 for a new one, 0 for one that has expired. */
export function lifeLeft(notBefore: string, notAfter: string, at = now()): number {
  const [begin, end] = [Date.parse(notBefore), Date.parse(notAfter)];
  return end <= begin ? 0 : Math.min(1, Math.max(0, (end - at) / (end - begin)));
}

export const EXPIRY_GROUPS = ['Expired', 'Today', 'Tomorrow', 'This Week', 'Next Week', 'Next Month', 'Later'] as const;
export type ExpiryGroup = (typeof EXPIRY_GROUPS)[number];

/** The groups of IIS's central store. Weeks begin on Monday; "Next Month" is what is after next week, to the end of next month. */
export function expiryGroup(notAfter: string, at = now()): ExpiryGroup {
  const end = Date.parse(notAfter);
  const today = new Date(at);
  const midnight = (days: number) => new Date(today.getFullYear(), today.getMonth(), today.getDate() + days).getTime();
  const untilMonday = 7 - ((today.getDay() + 6) % 7);
  if (end < at) return 'Expired';
  if (end < midnight(1)) return 'Today';
  if (end < midnight(2)) return 'Tomorrow';
  if (end < midnight(untilMonday)) return 'This Week';
  if (end < midnight(untilMonday + 7)) return 'Next Week';
  if (end < new Date(today.getFullYear(), today.getMonth() + 2, 1).getTime()) return 'Next Month';
  return 'Later';
}
