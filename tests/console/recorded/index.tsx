// The page on a recorded host: the second implementation of its transport. What each command answers is in a file of its own, so that
// an answer costs the page here what it costs it in Cockpit.
import '@patternfly/react-core/dist/styles/base.css';
import '../../../console/src/page.css';

import { start } from '../../../console/src/start';
import { CannotRun, type Transport } from '../../../console/src/transport';

interface Recording {
  rights: boolean;
  answers: Record<string, { status: number; file: string }>; // by command, as "task list"
  events: object[];
}

async function main() {
  const recording = (await (await fetch('recorded.json')).json()) as Recording;
  const transport: Transport = {
    async run(args) {
      const command = Object.keys(recording.answers).sort((one, other) => other.length - one.length)
        .find((each) => args.join(' ').startsWith(each));
      if (!command) throw new CannotRun('disconnected', `nothing is recorded for ${args.join(' ')}`);
      const { status, file } = recording.answers[command]!;
      return { status, out: new Uint8Array(await (await fetch(file)).arrayBuffer()), said: '' };
    },
    follow(_args, onLine) {
      for (const event of recording.events) onLine(JSON.stringify(event));
      return () => {};
    },
    rights(heard) {
      heard(recording.rights);
      return () => {};
    },
  };
  start(transport);
}

void main();
