#!/usr/bin/env node
// Plain JavaScript, so that an old version of Node prints this message instead of a syntax error.
// CommonJS (see package.json here), because it starts faster than an ES module.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`error: apisvc requires Node.js 20.19 or newer; this is ${process.version}\n`);
  process.exit(2);
}
// Node 22.1 and newer cache the compiled bundle between runs. Others need no time for the module.
if (major >= 22) require('node:module').enableCompileCache?.();
try {
  require('../dist/main.cjs');
} catch (error) {
  // The stack names this file where the bundle itself is missing, and one of its files otherwise.
  if (error.code !== 'MODULE_NOT_FOUND' || error.requireStack?.[0] !== __filename) throw error;
  process.stderr.write('error: dist/main.cjs not found\nfix: Install apisvc again. In a checkout: npm run build\n');
  process.exit(2);
}
