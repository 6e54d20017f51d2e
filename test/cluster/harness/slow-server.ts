import { expect, vi } from 'vitest';
import { resourceList, serveHttps } from './backends.ts';
import { makeCa, makeLeaf, pair, pem } from './certificates.ts';
import { kubectl } from './commands.ts';
import { kubectlOk } from './projects.ts';
import { apiServiceNameOf, groupOf, handMade } from './registrations.ts';

/**
 * Registers an API some of whose documents take long. While kube-apiserver reads /openapi/v2 of
 * one, it picks up no other APIService.
 */
export async function registerSlow(name: string, late: { readonly path: string; readonly ms: number }) {
  const ca = await makeCa(`${name} CA`);
  const api = `${groupOf(name)}/v1`;
  const paths = { [`apis/${api}`]: { serverRelativeURL: `/openapi/v3/apis/${api}?hash=1` } };
  const reply = { body: { ...resourceList(api, 'things'), paths }, late };
  const { port, stop } = await serveHttps(pair(await makeLeaf(`${name}.${name}.svc`, ca)), reply);
  const apiService = apiServiceNameOf(name);
  await kubectlOk(['create', 'namespace', name]);
  const items = Object.values(handMade({ namespace: name, service: name, port, ca: pem(ca) }));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  await kubectlOk(['wait', '--for=condition=Available', `apiservice/${apiService}`, '--timeout=80s']);
  const isListed = async () => expect(await kubectlOk(['get', '--raw', '/openapi/v3'])).toContain(`apis/${api}`);
  await vi.waitFor(isListed, { timeout: 80_000, interval: 500 });
  return {
    apiService,
    /** Makes kube-apiserver read the document again. */
    change: () => kubectlOk(['annotate', 'apiservice', apiService, 'changed=yes']),
    stop: async () => {
      await kubectl(['delete', 'apiservice', apiService]);
      await kubectl(['delete', 'namespace', name, '--wait=false']);
      await stop();
    },
  };
}
