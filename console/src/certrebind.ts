// certrebind's commands and their answers, each checked against certrebind-json(5) before the page believes it.
import type { Rights, Transport } from './transport';
import { mayDeceive, plainly } from './plain';
import { COMMANDS, OBJECTS, type Answers, type Error as Reason, type Event } from './wire';

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

function checkValue(value: unknown, type: string, where: string): void {
  if (type.endsWith('?')) {
    if (value !== undefined) checkValue(value, type.slice(0, -1), where);
  } else if (type.endsWith(' or null')) {
    if (value !== null) checkValue(value, type.slice(0, -' or null'.length), where);
  } else if (type.startsWith('list of ')) {
    if (!Array.isArray(value)) throw new NotUnderstood(`${where} is no list`);
    value.forEach((each, at) => checkValue(each, type.slice('list of '.length), `${where}[${at}]`));
  } else if (type in PLAIN) {
    if (typeof value !== PLAIN[type]) throw new NotUnderstood(`${where} is no ${type}`);
  } else {
    checkObject(value, OBJECTS[type] ?? {}, where);
  }
}

/** Unknown keys are ignored: a newer certrebind may add some. */
function checkObject(value: unknown, keys: Keys, where: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotUnderstood(`${where} is no object`);
  for (const [key, type] of Object.entries(keys)) {
    checkValue((value as Record<string, unknown>)[key], type, `${where}.${key}`);
  }
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
  checkObject(answer, FRAME, command);
  if (answer.schema !== 1) throw new NotUnderstood(`certrebind ${command} speaks version ${String(answer.schema)}`);
  if (answer.error) throw new Failed(answer.error as Reason, answer as Partial<Answers[C]>);
  checkObject(answer, COMMANDS[command] ?? {}, command);
  return answer as unknown as Answers[C];
}

/** Checks a line of `events --follow`. */
export function eventOf(line: string): Event {
  const event = parsed(line, 'events');
  checkObject(event, OBJECTS.event ?? {}, 'event');
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
