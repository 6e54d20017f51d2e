import { makeLeaf, pair } from '../harness/certificates.ts';
import { passed } from '../harness/registrations.ts';
import { describeFaults, failedTls, type HandMadeFault } from './hand-made.ts';

const faults: readonly HandMadeFault[] = [
  {
    name: 'nothing-wrong',
    how: 'nothing',
    codes: [],
    condition: passed,
    make: async (name, bench) => ({ port: await bench.serve(name) }),
  },
  {
    name: 'wrong-name',
    how: 'the serving certificate is for another name',
    codes: ['cert/san-mismatch'],
    condition: failedTls('x509: certificate is valid for elsewhere.svc, not wrong-name.certificates.svc'),
    make: async (name, bench) => ({ port: await bench.serve(name, pair(await makeLeaf('elsewhere.svc', bench.ca))) }),
  },
];

describeFaults('certificates', faults);
