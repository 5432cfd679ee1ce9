// Builds the page into dist/: what Cockpit serves from /usr/share/cockpit/certrebind.
//
//   node build.mjs            types of the wire, type check, bundle
//   node build.mjs --wire     only src/wire.ts, made from certrebind-json(5)
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundle } from './bundle.mjs';
import { wireOf } from './wire.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const manual = join(here, '../packaging/man/certrebind-json.5');
writeFileSync(join(here, 'src/wire.ts'), wireOf(readFileSync(manual, 'utf8')));
if (process.argv.includes('--wire')) process.exit(0);

execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--project', here], { stdio: 'inherit' });

await bundle(join(here, 'src/index.tsx'), join(here, 'dist'));
