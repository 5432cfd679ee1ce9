// The host as Cockpit's session reaches it.
import { together } from './files';
import { CannotRun, type Ended, type Rights, type Transport } from './transport';

const PROGRAM = 'certrebind';

const NOT_FOUND = 127; // what setsid(1) exits with if there is no such program

// Cockpit ends a process when the page that started it is closed. What setsid(1) forks has nobody to end it, and still prints into the
// same pipe.
const LASTING = ['setsid', '--fork'];

function cannotRun({ problem, message }: CockpitProblem): CannotRun {
  if (problem === 'not-found') return new CannotRun('no-program', message);
  if (problem === 'access-denied' || problem === 'authentication-failed') return new CannotRun('no-rights', message);
  return new CannotRun('disconnected', message || problem || 'disconnected');
}

export const cockpitTransport: Transport = {
  run(args, rights: Rights, { input, lasting = false } = {}) {
    const parts: Uint8Array[] = [];
    const process = cockpit.spawn([...(lasting ? LASTING : []), PROGRAM, ...args], {
      superuser: rights === 'act' ? 'require' : 'try',
      err: 'message',
      binary: true,
    });
    process.stream((data) => { parts.push(data); });
    if (input) process.input(input);
    return new Promise<Ended>((resolve, reject) => {
      process.then(
        () => resolve({ status: 0, out: together(...parts), said: '' }),
        (problem: CockpitProblem) => {
          const status = problem.problem === null ? problem.exit_status : null;
          if (status === NOT_FOUND) reject(new CannotRun('no-program', problem.message));
          else if (status === null) reject(cannotRun(problem));
          else resolve({ status, out: together(...parts), said: problem.message });
        },
      );
    });
  },

  follow(args, onLine, onEnd) {
    let rest = '';
    const process = cockpit.spawn([PROGRAM, ...args], { superuser: 'try', err: 'ignore' });
    process.stream((data: string) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    });
    process.then(onEnd, onEnd);
    return () => process.close('terminated');
  },

  rights(heard) {
    const permission = cockpit.permission({ admin: true });
    const tell = () => { if (permission.allowed !== null) heard(permission.allowed); };
    permission.addEventListener('changed', tell);
    tell();
    return () => permission.close();
  },
};
