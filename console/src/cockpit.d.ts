// What the page uses of Cockpit's own library (../base1/cockpit.js): https://cockpit-project.org/guide/latest/api-cockpit

interface CockpitProblem {
  problem: string | null; // "not-found", "access-denied" … ; null if the program ran
  exit_status: number | null;
  message: string;
}

interface CockpitProcess extends Promise<unknown> {
  input(data: string | Uint8Array, more?: boolean): CockpitProcess;
  stream(heard: (data: string & Uint8Array) => void): CockpitProcess;
  close(problem?: string): void;
}

interface CockpitSpawnOptions {
  superuser: 'require' | 'try';
  err: 'message' | 'out' | 'ignore';
  binary?: true;
}

interface CockpitPermission extends EventTarget {
  allowed: boolean | null;
  close(): void;
}

interface Cockpit {
  permission(options: { admin: true }): CockpitPermission;
  spawn(argv: string[], options: CockpitSpawnOptions): CockpitProcess;
  gettext(text: string): string;
}

declare const cockpit: Cockpit;
