import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, longest first. One of them that starts last would keep the tier
 * waiting, and a new checkout has no durations to sort by.
 */
export const longestFiles = [
  'cluster/rotation/seen',
  'cluster/rotation/overwritten',
  'cluster/rotation/image',
  'cluster/rotation/issuers',
  'cluster/rotation/gitops',
  'cluster/rotation/lost-keys',
  'cluster/rotation/killed',
  'cluster/rotation/cert-manager',
  'cluster/rotation/pods',
  'cluster/rotation/owners',
  'cluster/rotation/wrong-clock',
  'cluster/rotation/secure-metrics-server',
  'cluster/rotation/rotate',
  'cluster/rotation/secure',
  'cluster/rotation/copied-ca',
  'cluster/rotation/expired',
  'cluster/rotation/rights',
  'cluster/node/helm',
  'cluster/node/metrics-server',
  'cluster/node/once/cert-manager',
  'cluster/node/custom-metrics',
  'cluster/laboratory/pods',
  'cluster/laboratory/discovery',
  'cluster/laboratory/lists',
  'cluster/existing',
  'cluster/refusals',
  'cluster/chain',
  'cluster/csr',
  'cluster/issuers',
  'cluster/main-job',
  'cluster/second-project',
  'cluster/control-planes/unregister',
  'sandbox/secure',
  'sandbox/stale',
  'sandbox/docs',
  'sandbox/ca-key-secret',
  'sandbox/sandbox',
].map((name) => `test/${name}.test.ts`);

/** Starts the longest files of each project first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longestFiles.findIndex((path) => moduleId.endsWith(`/${path}`));
      return index === -1 ? longestFiles.length : index;
    };
    const order = (file: TestSpecification): number => projects.indexOf(file.project) * (longestFiles.length + 1) + rank(file);
    return sorted.toSorted((one, other) => order(one) - order(other));
  }
}
