import { completeExistingDeployment } from '../existing-deployment.ts';
import { applyStep } from '../steps/apply.ts';
import { isApiService, type RegisterRun } from './request.ts';

/** Applies everything but the APIServices. */
export function serverStep({ waiting, request: { registration, objects, forceConflicts }, beforeWrite }: RegisterRun) {
  const serverObjects = objects.filter((object) => !isApiService(object));
  return applyStep(waiting, {
    id: 'apply-server',
    title: 'Applying the objects of the server',
    objects: serverObjects,
    complete: () => completeExistingDeployment(waiting.cluster, registration, serverObjects, waiting.signal),
    forceConflicts,
    beforeWrite,
  });
}
