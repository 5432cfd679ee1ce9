// Translations come as po.js from Cockpit's own mechanism, where there are any.

/** A text of the page in the user's language. `values` replace $0, $1 … */
export function _(text: string, ...values: (string | number)[]): string {
  const translated = typeof cockpit === 'undefined' ? text : cockpit.gettext(text);
  return translated.replace(/\$(\d)/g, (whole, at: string) => String(values[Number(at)] ?? whole));
}

/** One text for one thing, another for several; $0 is the number, $1 … are `values`. */
export function counted(count: number, one: string, several: string, ...values: (string | number)[]): string {
  return _(count === 1 ? one : several, count.toLocaleString(), ...values);
}
