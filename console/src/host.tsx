// What the page knows of the host. Each answer is asked for once, shared by all who show it, and asked for again when an event arrives.
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';

import { ask, eventOf, Failed, type Call } from './certrebind';
import type { Transport } from './transport';
import type { Answers, Event } from './wire';

const KEPT_EVENTS = 2000;
const SETTLE = 400; // ms: events come in bursts
const RECONNECT = 5000; // ms
const REST = 4; // an event asks a command anew only after so many times as long as it took: check makes a handshake for every site

/** An answer, or why there is none. `answer` is the last one also while a newer one is on its way. */
export interface Asked<T> {
  answer?: T;
  failure?: Error;
  told?: Partial<T>; // what a command that failed had to tell all the same
  busy: boolean;
}

interface Entry {
  call: Call<keyof Answers>;
  asked: Asked<unknown>;
  users: number;
  again: boolean; // somebody wants a newer answer than the one on its way
  stale: boolean; // an event came meanwhile
  rested: number; // when an event may ask anew
  waiting: number | undefined; // the timer of an event that came before
}

export class Host {
  events: Event[] = [];
  administrator: boolean | null = null; // null: not known yet

  private entries = new Map<string, Entry>();
  private listeners = new Set<() => void>();
  private settling: number | undefined;

  constructor(readonly transport: Transport) {}

  /** Begins to follow events. Gives what ends that. */
  start(): () => void {
    let stop = () => {};
    let ended = false;
    let later: number | undefined;
    const follow = () => {
      this.events = [];
      stop = this.transport.follow(
        ['events', '--follow', '--json', '--limit', '500'],
        (line) => this.heard(line),
        () => { if (!ended) later = window.setTimeout(follow, RECONNECT); },
      );
    };
    const leave = this.transport.rights((administrator) => {
      const before = this.administrator;
      this.administrator = administrator;
      if (before === null || before === administrator) this.tell();
      else this.refresh(); // what was hidden may be seen now, or the other way round
    });
    follow();
    return () => {
      ended = true;
      window.clearTimeout(later);
      stop();
      leave();
    };
  }

  private heard(line: string): void {
    try {
      this.events = [...this.events.slice(-KEPT_EVENTS + 1), eventOf(line)];
    } catch {
      return; // a line that is no event tells nothing
    }
    window.clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.refreshRested(), SETTLE);
    this.tell();
  }

  /** Asks anew whatever is shown. */
  refresh(): void {
    for (const [key, entry] of this.entries) {
      if (entry.users > 0) void this.load(entry);
      else this.entries.delete(key);
    }
    this.tell();
  }

  /** The same after an event, each as soon as it has rested. */
  private refreshRested(): void {
    for (const entry of this.entries.values()) this.loadRested(entry);
  }

  private loadRested(entry: Entry): void {
    window.clearTimeout(entry.waiting);
    entry.waiting = window.setTimeout(() => {
      if (entry.asked.busy) entry.stale = true;
      else if (entry.users > 0) void this.load(entry);
    }, Math.max(0, entry.rested - Date.now()));
  }

  /** The entry of a call; asked for if nobody has yet. */
  use<C extends keyof Answers>(call: Call<C>): () => void {
    const key = JSON.stringify(call);
    const entry = this.entries.get(key) ?? { call, asked: { busy: false }, users: 0, again: false, stale: false, rested: 0, waiting: undefined };
    this.entries.set(key, entry);
    if (entry.users++ === 0 && !entry.asked.busy) void this.load(entry);
    return () => { entry.users--; };
  }

  asked<C extends keyof Answers>(call: Call<C>): Asked<Answers[C]> {
    return (this.entries.get(JSON.stringify(call))?.asked ?? WAITING) as Asked<Answers[C]>;
  }

  private async load(entry: Entry): Promise<void> {
    if (entry.asked.busy) {
      entry.again = true;
      return;
    }
    entry.asked = { ...entry.asked, busy: true };
    this.tell();
    const began = Date.now();
    try {
      entry.asked = { answer: await ask(this.transport, entry.call, 'look'), busy: false };
    } catch (failure) {
      entry.asked = { failure: failure as Error, busy: false, ...(failure instanceof Failed && { told: failure.answer }) };
    }
    entry.rested = Date.now() + REST * (Date.now() - began);
    this.tell();
    const { again, stale } = entry;
    entry.again = entry.stale = false;
    if (again) void this.load(entry);
    else if (stale) this.loadRested(entry);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private tell(): void {
    this.listeners.forEach((listener) => listener());
  }
}

const WAITING: Asked<never> = { busy: true };
const Context = createContext<Host | null>(null);

export function HostProvider({ transport, children }: { transport: Transport; children: ReactNode }) {
  const [host] = useState(() => new Host(transport));
  useEffect(() => host.start(), [host]);
  return <Context.Provider value={host}>{children}</Context.Provider>;
}

export function useHost(): Host {
  const host = useContext(Context);
  if (!host) throw new Error('no host');
  return host;
}

/** The answer of a command that looks; asked for anew when something happens on the host. */
export function useAnswer<C extends keyof Answers>(command: C, ...args: string[]): Asked<Answers[C]> {
  const host = useHost();
  const key = JSON.stringify(args);
  useEffect(() => host.use({ command, args: JSON.parse(key) as string[] }), [host, command, key]);
  return useSyncExternalStore(host.subscribe, () => host.asked({ command, args }));
}

export function useEvents(): Event[] {
  const host = useHost();
  return useSyncExternalStore(host.subscribe, () => host.events);
}

/** Whether the session may act; null while that is not known. */
export function useAdministrator(): boolean | null {
  const host = useHost();
  return useSyncExternalStore(host.subscribe, () => host.administrator);
}
