import { wasRefused } from '../../cluster/faults.ts';
import { getObject } from '../../cluster/objects.ts';
import { inspect } from '../../pki/inspect.ts';
import { caIn } from '../ca-secret.ts';
import type { Target } from '../steps/target.ts';
import type { Waiting } from '../wait.ts';

/**
 * The Secrets among the targets that are deleted with the private key of a CA (`caKey: secret`).
 * Without the project, only their content tells. One that the user may not read is left out.
 */
export async function caSecretsIn(
  { cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>,
  targets: readonly Target[],
): Promise<readonly Target[]> {
  const secrets = targets.filter(({ ref, action }) => ref.resource.kind === 'Secret' && action === 'delete');
  const hasCa = await Promise.all(
    secrets.map(async ({ ref }) => {
      const found = await getObject(cluster, ref, signal).catch((error) => {
        if (wasRefused(error)) return undefined;
        throw error;
      });
      const pair = found && caIn(found, 'current');
      return pair !== undefined && inspect(pair.certificate).certificates[0]?.isCA === true;
    }),
  );
  return secrets.filter((_, index) => hasCa[index]);
}
