import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeLeaf, pair } from '../harness/certificates.ts';
import { emptyFolder } from '../harness/projects.ts';
import { passed } from '../harness/registrations.ts';
import { describeFaults, failedTls } from './hand-made.ts';

/**
 * A machine whose clock is wrong: the clock of Node.js is shifted, and that of kube-apiserver is
 * not.
 */

const hourMs = 3_600_000;

/** The environment that shifts the clock of a Node.js program. */
function shifted(byMs: number): Readonly<Record<string, string>> {
  const file = join(emptyFolder(), 'shift.cjs');
  writeFileSync(
    file,
    `const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ${byMs});
    else super(...given);
  }
  static now() {
    return RealDate.now() + ${byMs};
  }
};
`,
  );
  return { NODE_OPTIONS: `--require=${file}` };
}

describeFaults('clocks', [
  {
    name: 'slow-clock',
    how: 'the clock of the machine on which verify runs is 10 minutes behind',
    codes: ['control-plane/clock-skew'],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name) }),
    options: { env: shifted(-hourMs / 6) },
  },
  {
    name: 'expired-by-one-clock',
    how: 'the serving certificate expired an hour ago, and the clock of the machine on which verify runs is 3 hours behind',
    codes: ['control-plane/clock-skew'],
    condition: failedTls('x509: certificate has expired or is not yet valid'),
    make: async (name, bench) => {
      const when = { notBefore: new Date(Date.now() - 24 * hourMs), notAfter: new Date(Date.now() - hourMs) };
      return { port: await bench.serve(name, pair(await makeLeaf(bench.hostOf(name), bench.ca, { when }))) };
    },
    options: { env: shifted(-3 * hourMs) },
  },
]);
