/** Imported before the program: it is killed as soon as it has printed KILLED_AFTER on stderr. */

const write = process.stderr.write.bind(process.stderr);
let printed = '';

process.stderr.write = (chunk, ...rest) => {
  // Node writes to a pipe synchronously on Linux.
  const done = write(chunk, ...rest);
  printed += chunk;
  if (printed.includes(process.env.KILLED_AFTER)) process.kill(process.pid, 'SIGKILL');
  return done;
};
