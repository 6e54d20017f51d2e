import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCertManager } from '../../harness/cert-manager.ts';
import { emptyFolder } from '../../harness/projects.ts';

test('the harness reports a controller that ends, with its log', async () => {
  const kubeconfig = join(emptyFolder(), 'missing');
  const ending = startCertManager('controller', kubeconfig).during(new Promise(() => {}));
  await expect(ending).rejects.toThrow(new RegExp(`^controller of cert-manager ended with exit code 1:\n[^]*${kubeconfig}`));
});
