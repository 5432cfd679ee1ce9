// certrebind's commands and their answers, each checked against certrebind-json(5) before the page believes it.
import type { Rights, Transport } from './transport';
import { mayDeceive, plainly } from './plain';
import { COMMANDS, OBJECTS, type Answers, type Error as Reason, type Event, type Stored } from './wire';

/** The command ran, and says why it failed. `answer` holds what it had to tell all the same. */
export class Failed extends Error {
  constructor(readonly reason: Reason, readonly answer: Partial<Answers[keyof Answers]>) {
    super(reason.message);
  }
}

/** The answer is none that certrebind-json(5) knows. */
export class NotUnderstood extends Error {}

type Keys = Record<string, string>;
const PLAIN: Record<string, string> = { string: 'string', integer: 'number', boolean: 'boolean', time: 'string' };
const FRAME: Keys = { schema: 'integer', changed: 'boolean?', error: 'error?' };

/** Gives what is wrong with a value, as ".names[2] is no string"; null if nothing is. */
type Check = (value: unknown) => string | null;

/** The check of a type: made once, for an answer may have ten thousand values of it. */
function checkOf(type: string): Check {
  let made = CHECKS.get(type);
  if (!made) {
    made = newCheck(type);
    CHECKS.set(type, made);
  }
  return made;
}
const CHECKS = new Map<string, Check>();

function newCheck(type: string): Check {
  if (type.endsWith('?')) return unless(undefined, type.slice(0, -1));
  if (type.endsWith(' or null')) return unless(null, type.slice(0, -' or null'.length));
  if (type.startsWith('list of ')) return listCheck(type.slice('list of '.length));
  const plain = PLAIN[type];
  if (plain) return (value) => (typeof value === plain ? null : ` is no ${type}`);
  return objectCheck(OBJECTS[type] ?? {});
}

function unless(allowed: unknown, type: string): Check {
  const check = checkOf(type);
  return (value) => (value === allowed ? null : check(value));
}

function listCheck(type: string): Check {
  const check = checkOf(type);
  return (list) => {
    if (!Array.isArray(list)) return ' is no list';
    for (let at = 0; at < list.length; at++) {
      const wrong = check(list[at]);
      if (wrong !== null) return `[${at}]${wrong}`;
    }
    return null;
  };
}

/** Unknown keys are ignored: a newer certrebind may add some. */
function objectCheck(keys: Keys): Check {
  let checks: [string, Check][] | undefined; // made when the first comes, for an object may hold others of its type
  return (object) => {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return ' is no object';
    checks ??= Object.entries(keys).map(([key, type]) => [key, checkOf(type)]);
    for (const [key, check] of checks) {
      const wrong = check((object as Record<string, unknown>)[key]);
      if (wrong !== null) return `.${key}${wrong}`;
    }
    return null;
  };
}

function believe(value: unknown, check: Check, name: string): void {
  const wrong = check(value);
  if (wrong !== null) throw new NotUnderstood(`${name}${wrong}`);
}

function parsed(text: string, command: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return (mayDeceive(text) ? plainly(value) : value) as Record<string, unknown>;
  } catch {
    throw new NotUnderstood(`certrebind ${command} printed no JSON`);
  }
}

/** Checks the text of an answer. Throws Failed with what the command itself says, or NotUnderstood. */
export function answerOf<C extends keyof Answers>(command: C, text: string): Answers[C] {
  const answer = parsed(text, command);
  believe(answer, objectCheck(FRAME), command);
  if (answer.schema !== 1) throw new NotUnderstood(`certrebind ${command} speaks version ${String(answer.schema)}`);
  if (answer.error) throw new Failed(answer.error as Reason, answer as Partial<Answers[C]>);
  believe(answer, objectCheck(COMMANDS[command] ?? {}), command);
  return answer as unknown as Answers[C];
}

/** Checks a line of `events --follow`. */
export function eventOf(line: string): Event {
  const event = parsed(line, 'events');
  believe(event, checkOf('event'), 'event');
  return event as unknown as Event;
}

/** A command with its arguments, as it is run and as dialogs show it. */
export interface Call<C extends keyof Answers> {
  command: C;
  args: string[];
}

/** The arguments for certrebind. What follows `--` is the program of a task, so the options come before. */
export function argumentsOf({ command, args }: Call<keyof Answers>): string[] {
  return [...command.split(' '), '--json', ...args];
}

/** Whether an answer had to write something in it that a line cannot show. */
export const isEscaped = (text: string): boolean => /\\x[0-9a-f]{2}|\\u\{/.test(text);

/** What means this copy of a certificate, for there may be several: its path. */
export const argumentFor = ({ path, thumbprint }: Stored): string => (isEscaped(path) ? thumbprint : path);

/** As a person would type it into a shell. */
export function typed({ command, args }: Call<keyof Answers>): string {
  const quoted = args.map((each) => (/^[\w@%+=:,./-]+$/.test(each) ? each : `'${each.replaceAll("'", `'\\''`)}'`));
  return ['certrebind', command, ...quoted].join(' ');
}

/** Runs a command. Rejects with CannotRun, Failed or NotUnderstood. */
export async function ask<C extends keyof Answers>(
  transport: Transport, call: Call<C>, rights: Rights, options: { input?: Uint8Array; lasting?: boolean } = {},
): Promise<Answers[C]> {
  const ended = await transport.run(argumentsOf(call), rights, options);
  return answerOf(call.command, new TextDecoder().decode(ended.out));
}
