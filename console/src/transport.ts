// Everything that the page asks of the host goes through here. Cockpit is one implementation; the tests' recorded host is another.

/** What a command needs: looking goes with whatever rights there are, acting needs the administrator's. */
export type Rights = 'look' | 'act';

/** How a command ended. */
export interface Ended {
  status: number;
  out: Uint8Array;
  said: string; // standard error
}

/** The command could not be run at all. */
export class CannotRun extends Error {
  constructor(readonly why: 'no-program' | 'no-rights' | 'disconnected', message: string) {
    super(message);
  }
}

export interface Transport {
  /**
   * Runs certrebind with these arguments. `input` goes to its standard input: keys, archives and passwords travel there only.
   * `lasting`: it goes on if the page is closed.
   * Rejects with CannotRun.
   */
  run(args: string[], rights: Rights, options?: { input?: Uint8Array; lasting?: boolean }): Promise<Ended>;

  /** Runs a command that has no end, and hands over each line that it prints. Gives what ends it. */
  follow(args: string[], onLine: (line: string) => void, onEnd: () => void): () => void;

  /** Says whether the session has the administrator's rights, now and whenever that changes. Gives what ends that. */
  rights(heard: (administrator: boolean) => void): () => void;
}

/** What a command said on standard error before it failed, where it prints no JSON. */
export class Said extends Error {}
