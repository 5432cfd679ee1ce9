// Builds the page into dist/: what Cockpit serves from /usr/share/cockpit/certrebind.
//
//   node build.mjs            types of the wire, type check, bundle
//   node build.mjs --wire     only src/wire.ts, made from certrebind-json(5)
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { wireOf } from './wire.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const manual = join(here, '../packaging/man/certrebind-json.5');
writeFileSync(join(here, 'src/wire.ts'), wireOf(readFileSync(manual, 'utf8')));
if (process.argv.includes('--wire')) process.exit(0);

execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--project', here], { stdio: 'inherit' });

// Cockpit serves the fonts that PatternFly wants itself; page.css names them. So PatternFly's own @font-face rules, and
// megabytes of font files with them, are left out, and so are the pictures of themes that the page does not have.
const withoutAssets = {
  name: 'without-assets',
  setup(build) {
    build.onLoad({ filter: /@patternfly.*\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/@font-face\s*{[^}]*}/g, '').replace(/url\("?\.\/assets\/[^)]*\)/g, 'none'),
      loader: 'css',
    }));
  },
};

const dist = join(here, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await build({
  entryPoints: [join(here, 'src/index.tsx')],
  outfile: join(dist, 'index.js'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome100', 'firefox100', 'safari15'],
  define: { 'process.env.NODE_ENV': '"production"' },
  external: ['../../static/fonts/*'],
  legalComments: 'linked',
  logLevel: 'warning',
  plugins: [withoutAssets],
});
for (const file of ['index.html', 'manifest.json']) copyFileSync(join(here, 'src', file), join(dist, file));
