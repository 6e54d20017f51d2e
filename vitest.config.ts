import { defineConfig } from 'vitest/config';

/** Imports of YAML and of shell scripts give their text, as esbuild's `text` loader does in the bundle. */
const textFiles = {
  name: 'text-files',
  transform: (code: string, id: string) =>
    /\.(yaml|bash|zsh|fish)$/.test(id) ? { code: `export default ${JSON.stringify(code)}`, map: null } : undefined,
};

/** One cluster for all specs of a project; they keep apart by names of their own. */
const onCluster = { testTimeout: 180_000, hookTimeout: 240_000 };
const nodeSpecs = 'test/cluster/node/**/*.test.ts';
/** Every way to break a registration, once on each version of Kubernetes and once with each way to reach a Service. */
const laboratory = 'test/cluster/laboratory/*.test.ts';
const laboratoryCells = ['1.37-routing', '1.35'];
/** What starts clusters of its own is the same on all of them. */
const nodeSpecsOnce = process.env.APISVC_CELL === '1.37' ? [] : ['test/cluster/node/once/*.test.ts'];

export default defineConfig({
  plugins: [textFiles],
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], maxWorkers: '100%', testTimeout: 30_000 },
      },
      {
        extends: true,
        // Each test starts the built program, which is slow on a busy machine.
        test: { name: 'cli', include: ['test/cli/**/*.test.ts'], maxWorkers: '100%', testTimeout: 30_000 },
      },
      // Whole commands, one after the other.
      { extends: true, test: { name: 'sandbox', include: ['test/sandbox/**/*.test.ts'], testTimeout: 120_000 } },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          exclude: [nodeSpecs, laboratory],
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
          // They mostly wait, for pods that become ready or never do.
          maxWorkers: 3,
          ...onCluster,
        },
      },
    ],
  },
});
