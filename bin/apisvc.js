#!/usr/bin/env node
// Plain JavaScript, so that an old version of Node prints this message instead of a syntax error.
// CommonJS (see package.json here), because it starts faster than an ES module.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: apisvc requires Node.js 20.19 or newer; this is ${process.version}\n`);
  process.exit(2);
}
try {
  require('./load.js');
} catch (error) {
  if (error.code !== 'ENOENT' || !error.path?.endsWith('main.cjs')) throw error;
  process.stderr.write('error: dist/main.cjs not found\nfix: Install apisvc again. In a checkout: npm run build\n');
  process.exit(2);
}
