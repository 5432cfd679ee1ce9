// Chromium for the tests of the page. Each line of standard input is a job in JSON: {"code": "…", "given": …}. The code is the
// body of an async function of Playwright's `page`, its `context`, and what was given. Each answer is a line, too:
// {"value": …} or {"error": "…"}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { chromium } = createRequire(process.env.CONSOLE + '/package.json')('playwright-core');
const AsyncFunction = (async () => {}).constructor;

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
let context, page;

/** A browser that remembers nothing of the test before. What its console and its errors say is kept in `said`. */
async function fresh(options) {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.said = [];
  context.asked = [];
  page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('console', (message) => context.said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => context.said.push(`pageerror: ${error.message}`));
  page.on('request', (request) => context.asked.push(request.url()));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { code, given } = JSON.parse(line);
  let answer;
  try {
    if (code === 'fresh') await fresh(given);
    const value = code === 'fresh' ? null : await new AsyncFunction('page', 'context', 'given', code)(page, context, given);
    answer = { value: value ?? null };
  } catch (error) {
    answer = { error: String(error.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
