import { defineConfig } from 'vitest/config';

/** Imports of YAML files and shell scripts return their text, as esbuild's `text` loader does. */
const textFiles = {
  name: 'text-files',
  transform: (code: string, id: string) =>
    /\.(yaml|bash|zsh|fish)$/.test(id) ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
};

export const plugins = [textFiles];

/** All specs of a project share one cluster. Each uses its own names. */
const onCluster = { testTimeout: 180_000, hookTimeout: 240_000 };
const nodeSpecs = 'test/cluster/node/**/*.test.ts';
const laboratory = 'test/cluster/laboratory/*.test.ts';
/**
 * scripts/test.mjs sets it for a whole tier without APISVC_THOROUGH=1. Then each spec runs on some
 * of the cells only.
 */
const isShort = process.env.APISVC_SHORT !== undefined;
/** Both kinds of specs run on each version, and with each way to reach a Service. */
const specsOf: Record<string, string[]> = {
  '1.37': [nodeSpecs],
  '1.37-routing': [laboratory],
  '1.35': [laboratory],
  '1.35-routing': [nodeSpecs],
};
const cell = process.env.APISVC_CELL ?? '';
const allSpecs = [nodeSpecs, laboratory];
/** Rotations wait longer while an API of the cluster fails, so they have a cluster of their own. */
const rotationSpecs = 'test/cluster/rotation/*.test.ts';
/** What does not depend on the kind of cluster runs on one of them. */
const rotationSpecsOnce = [
  'cut-off',
  'docs',
  'expired',
  'lost-keys',
  'options',
  'overwritten',
  'owners',
  'places',
  'pods',
  'rights',
  'seen',
  'two-apiservers',
  'wrong-clock',
];
/** Specs that start their own clusters run once. */
const nodeSpecsOnce = cell === '1.37' ? [] : ['test/cluster/node/once/*.test.ts'];

export default defineConfig({
  plugins,
  test: {
    projects: [
      {
        extends: true,
        // Modules are loaded once for all files, which saves most of the time.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false, maxWorkers: '100%', testTimeout: 30_000 },
      },
      {
        extends: true,
        // Every test starts the built program, which is slow on a busy machine.
        test: { name: 'cli', include: ['test/cli/**/*.test.ts'], maxWorkers: '100%', testTimeout: 30_000 },
      },
      // Whole commands, one after another.
      { extends: true, test: { name: 'sandbox', include: ['test/sandbox/**/*.test.ts'], testTimeout: 120_000 } },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          exclude: [nodeSpecs, laboratory, rotationSpecs],
          globalSetup: ['test/cluster/harness/global-setup.ts'],
          fileParallelism: false,
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
          include: [rotationSpecs],
          exclude: (isShort && cell === '1.35' ? rotationSpecsOnce : []).map((name) => `test/cluster/rotation/${name}.test.ts`),
          globalSetup: ['test/cluster/harness/node/global-setup.ts'],
          // The specs mostly wait. More load generators would need the whole processor.
          maxWorkers: cell === '1.35' ? 2 : 4,
          ...onCluster,
          testTimeout: 300_000,
        },
      },
    ],
  },
});
