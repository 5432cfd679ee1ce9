// Reads certrebind-json(5), and writes what the page must know of it: a TypeScript type for each object and each command's
// answer, and the same as a table by which answers are checked when they arrive. So the page and the manual cannot differ.

const PLAIN = { string: 'string', integer: 'number', boolean: 'boolean', time: 'string', map: 'Record<string, unknown>' };

// How the manual says so.
const MAY_MISS = /\bMissing\b|\bOnly\b|\bNot (of|with)\b|^As of \\fBrebind\\fP\.$/m;
const MAY_BE_NULL = /\bnull\b/;

const pascal = (name) => name.replace(/(^|[ _-])(\w)/g, (_, __, letter) => letter.toUpperCase());

/** {title: [{key, type, mayMiss, mayBeNull}]} of the subsections under a heading of the page. */
function sections(page, heading) {
  const whole = new RegExp(`^\\.SH ${heading}\\n([^]*?)(?=^\\.SH |(?![^]))`, 'm').exec(page)[1];
  const parts = whole.split(/^\.SS (.+)\n/m).slice(1);
  const found = {};
  for (let at = 0; at < parts.length; at += 2) found[parts[at]] = keysOf(parts[at + 1]);
  return found;
}

/** A key may be missing if its text says so, or if the section begins with when its keys are there. */
function keysOf(text) {
  const some = /^(With|.*Else|.*else) /m.test(text.split(/^\.TP\n/m)[0]);
  return text.split(/^\.TP\n/m).slice(1).map((entry) => {
    const [, key, type] = /^\.BR (\S+) " \(([^)]+)\)"/.exec(entry);
    return { key, type, mayMiss: some || MAY_MISS.test(entry), mayBeNull: MAY_BE_NULL.test(entry) || type === 'renewer' };
  });
}

/** The TypeScript type of a key's type as the page writes it. */
function typeOf(type) {
  if (type.startsWith('list of ')) return `${typeOf(type.slice(8))}[]`;
  return PLAIN[type] ?? pascal(type);
}

const interfaceOf = (name, keys) =>
  `export interface ${name} {\n${keys.map(({ key, type, mayMiss, mayBeNull }) =>
    `  ${key}${mayMiss ? '?' : ''}: ${typeOf(type)}${mayBeNull ? ' | null' : ''};\n`).join('')}}\n`;

const tableOf = (name, all) =>
  `export const ${name}: Record<string, Record<string, string>> = {\n${Object.entries(all).map(([title, keys]) =>
    `  ${JSON.stringify(title)}: { ${keys.map(({ key, type, mayMiss, mayBeNull }) =>
      `${key}: '${type}${mayBeNull ? ' or null' : ''}${mayMiss ? '?' : ''}'`).join(', ')} },\n`).join('')}};\n`;

/** The text of src/wire.ts. */
export function wireOf(page) {
  const frame = keysOf(new RegExp('^\\.SH EVERY ANSWER\\n([^]*?)^\\.SH ', 'm').exec(page)[1]);
  const commands = sections(page, 'COMMANDS');
  const objects = sections(page, 'OBJECTS');
  return [
    '// Made from certrebind-json(5) by wire.mjs: do not edit.\n',
    ...Object.entries(objects).map(([name, keys]) => interfaceOf(pascal(name), keys)),
    interfaceOf('Frame', frame),
    ...Object.entries(commands).map(([name, keys]) => interfaceOf(`${pascal(name)}Answer`, keys)),
    tableOf('OBJECTS', objects),
    tableOf('COMMANDS', commands),
    `export interface Answers {\n${Object.keys(commands).map((name) =>
      `  ${JSON.stringify(name)}: ${pascal(name)}Answer;\n`).join('')}}\n`,
  ].join('\n');
}
