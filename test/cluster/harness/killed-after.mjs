/**
 * Imported before the program: it is killed as soon as it has printed what matches KILLED_AFTER on
 * stderr. With KILLED_BY, it sends itself that signal instead, once.
 */

const write = process.stderr.write.bind(process.stderr);
const { KILLED_AFTER = '', KILLED_BY = 'SIGKILL' } = process.env;
let printed = '';
let isKilled = false;

process.stderr.write = (chunk, ...rest) => {
  // Node writes to a pipe synchronously on Linux.
  const done = write(chunk, ...rest);
  printed += chunk;
  if (!isKilled && new RegExp(KILLED_AFTER).test(printed)) {
    isKilled = true;
    process.kill(process.pid, KILLED_BY);
  }
  return done;
};
