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
/** Every fault, on each version of Kubernetes and with each way to reach a Service. */
const laboratory = 'test/cluster/laboratory/*.test.ts';
const laboratoryCells = ['1.37-routing', '1.35'];
/** Rotations wait longer while an API of the cluster fails, so they have a cluster of their own. */
const rotationSpecs = 'test/cluster/rotation/*.test.ts';
/** What does not depend on the kind of cluster runs on one of them. */
const rotationSpecsOnce =
  process.env.APISVC_CELL === '1.35'
    ? ['cut-off', 'disturbed', 'docs', 'lost', 'owners', 'places', 'rights', 'seen', 'two-apiservers']
    : [];
/** Specs that start their own clusters run once. */
const nodeSpecsOnce = process.env.APISVC_CELL === '1.37' ? [] : ['test/cluster/node/once/*.test.ts'];

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
          include: laboratoryCells.includes(process.env.APISVC_CELL ?? '') ? [nodeSpecs, laboratory] : [nodeSpecs],
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
          exclude: rotationSpecsOnce.map((name) => `test/cluster/rotation/${name}.test.ts`),
          globalSetup: ['test/cluster/harness/node/global-setup.ts'],
          // The load generators need the processor.
          maxWorkers: 2,
          ...onCluster,
          testTimeout: 300_000,
        },
      },
    ],
  },
});
