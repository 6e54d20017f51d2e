import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Imports of YAML files and shell scripts return their text, as esbuild's `text` loader does. */
const textFiles = {
  name: 'text-files',
  transform: (code: string, id: string) =>
    /\.(yaml|bash|zsh|fish)$/.test(id) ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
};

export const plugins = [textFiles];

/** All specs of a project share one cluster. Each uses its own names. */
const onCluster = { testTimeout: 180_000, hookTimeout: 240_000 };
/** Specs that start their own control planes. */
const controlPlanes = 'test/cluster/control-planes/*.test.ts';
const nodeSpecs = 'test/cluster/node/**/*.test.ts';
const laboratory = 'test/cluster/laboratory/*.test.ts';
/** Under load, and so on a cluster of their own. */
const rotationSpecs = 'test/cluster/rotation/*.test.ts';
/** With a second kube-apiserver or servers that are slow, so that other rotations wait longer. */
const rotationSpecsApart = 'test/cluster/rotation/apart/*.test.ts';

/**
 * scripts/test.mjs sets it for a whole tier without APISVC_THOROUGH=1. Then each spec runs once,
 * and on another cell only if the version or the way to reach a Service matters to it.
 */
const isShort = process.env.APISVC_SHORT !== undefined;
const cell = process.env.APISVC_CELL ?? '';
const named = (folder: string, names: readonly string[]) => names.map((name) => `test/cluster/${folder}/${name}.test.ts`);
/** The specs with pods and the laboratory, by cell. */
const specsOf: Record<string, string[]> = {
  '1.37': [nodeSpecs],
  '1.37-routing': [laboratory],
  // The faults whose findings or Available condition differ between the versions.
  '1.35': named('laboratory', ['bundles', 'certificates', 'chains', 'clocks', 'look-alikes', 'secrets', 'two-faults']),
  '1.35-routing': named('node', ['node', 'sample-apiserver']),
};
const allSpecs = [nodeSpecs, laboratory];
/** The node tier runs the same adapter in a pod. Its registration takes a minute. */
const inNodeTierToo = isShort ? ['test/cluster/servers/custom-metrics.test.ts'] : [];
/** Specs that start their own clusters run once. */
const nodeSpecsOnce = cell === '1.37' ? [] : ['test/cluster/node/once/*.test.ts'];
const rotationSpecsOf: Record<string, string[]> = {
  '1.37-routing': [rotationSpecs],
  '1.35': named('rotation', ['killed', 'rotate', 'secure', 'secure-metrics-server']),
};

export default defineConfig({
  plugins,
  test: {
    sequence: { sequencer: LongestFirst },
    // A worker loads each module once for all of its files, which saves most of their start.
    isolate: false,
    // The summary of a run has only the message of a failed test, so it must be whole.
    chaiConfig: { truncateThreshold: 0 },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], maxWorkers: '100%', testTimeout: 60_000 },
      },
      {
        extends: true,
        // Every test starts the built program, which is slow on a busy machine.
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts'],
          globalSetup: ['test/cli/global-setup.ts'],
          maxWorkers: '100%',
          testTimeout: 60_000,
        },
      },
      // Whole commands, which mostly wait for Leases and rollouts.
      {
        extends: true,
        test: {
          name: 'sandbox',
          include: ['test/sandbox/**/*.test.ts'],
          globalSetup: ['test/sandbox/global-setup.ts'],
          maxWorkers: 3,
          testTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'distribution',
          include: ['test/distribution/**/*.test.ts'],
          globalSetup: ['test/distribution/global-setup.ts'],
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          exclude: [controlPlanes, nodeSpecs, laboratory, rotationSpecs, rotationSpecsApart, ...inNodeTierToo],
          globalSetup: ['test/cluster/harness/global-setup.ts'],
          maxWorkers: 2,
          ...onCluster,
        },
      },
      {
        extends: true,
        test: {
          name: 'control-planes',
          include: [controlPlanes],
          globalSetup: ['test/cluster/harness/global-setup.ts'],
          maxWorkers: 2,
          ...onCluster,
        },
      },
      {
        extends: true,
        test: {
          name: 'node',
          include: isShort ? (specsOf[cell] ?? allSpecs) : allSpecs,
          exclude: nodeSpecsOnce,
          globalSetup: ['test/cluster/harness/node/global-setup.ts'],
          // The specs mostly wait for pods.
          maxWorkers: 3,
          ...onCluster,
        },
      },
      {
        extends: true,
        test: {
          name: 'rotation',
          include: cell === '1.37' ? [rotationSpecsApart] : isShort ? (rotationSpecsOf[cell] ?? [rotationSpecs]) : [rotationSpecs],
          globalSetup: ['test/cluster/harness/node/global-setup.ts'],
          // The specs mostly wait. More load generators would need the whole processor, and specs
          // apart disturb each other.
          maxWorkers: { '1.37': 1, '1.35': 2 }[cell] ?? 6,
          ...onCluster,
          testTimeout: 600_000,
        },
      },
    ],
  },
});
