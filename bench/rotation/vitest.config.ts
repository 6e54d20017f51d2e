import { defineConfig } from 'vitest/config';
import { plugins } from '../../vitest.config.ts';

export default defineConfig({
  plugins,
  test: {
    include: ['bench/rotation/rotation.bench.ts'],
    globalSetup: ['test/cluster/harness/node/global-setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 240_000,
  },
});
