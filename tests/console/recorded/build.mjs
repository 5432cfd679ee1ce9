// Builds the recorded page into the given directory, as console/build.mjs builds the real one.
const [, , console_, target] = process.argv;
const { bundle } = await import(`${console_}/bundle.mjs`);
await bundle(new URL('index.tsx', import.meta.url).pathname, target);
