// What a command advises, in the words of the form that ran it: an option of the command is a field there.
import { _ } from '../i18n';

/** The label of the field for each option. */
export type Fields = Readonly<Record<string, string>>;

/** Each part of the advice that names such an option names its field instead. */
export function inFormWords(advice: string, fields: Fields): string {
  return advice.replace(/[^;\n ][^;\n]*/g, (part) => {
    const labels = new Set(part.match(/--[a-z-]+/g)?.flatMap((option) => fields[option] ?? []));
    return labels.size === 0 ? part : _('look at $0 in this form', [...labels].map((label) => `“${label}”`).join(', '));
  });
}
