// Puts the page, its styles and what it imports into one directory.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

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

/** Bundles `entry` with the page's HTML and manifest into `target`, which is emptied first. */
export async function bundle(entry, target) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await build({
    entryPoints: [entry],
    outfile: join(target, 'index.js'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome100', 'firefox100', 'safari15'],
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['../../static/fonts/*'],
    nodePaths: [join(here, 'node_modules')],
    jsx: 'automatic',
    legalComments: 'linked',
    logLevel: 'warning',
    plugins: [withoutAssets],
  });
  for (const file of ['index.html', 'manifest.json']) copyFileSync(join(here, 'src', file), join(target, file));
  // Cockpit sends FILE.gz where FILE is asked for, as it does with its own pages: 2.4 MB are 0.3 MB so.
  for (const file of ['index.js', 'index.css']) {
    writeFileSync(join(target, `${file}.gz`), gzipSync(readFileSync(join(target, file)), { level: 9 }));
    rmSync(join(target, file));
  }
}
