import type { Step } from './step.ts';
import { applying } from './steps/applying.ts';
import { certificates } from './steps/certificates.ts';
import { changes } from './steps/changes.ts';
import { deleting } from './steps/deleting.ts';
import { forms } from './steps/forms.ts';
import { identity } from './steps/identity.ts';
import { kubelet } from './steps/kubelet.ts';
import { patching } from './steps/patching.ts';
import { paths } from './steps/paths.ts';
import { projects } from './steps/projects.ts';
import { proxying } from './steps/proxying.ts';
import { reading } from './steps/reading.ts';
import { refused } from './steps/refused.ts';
import { replies } from './steps/replies.ts';
import { reviews } from './steps/reviews.ts';
import { services } from './steps/services.ts';
import { watching } from './steps/watching.ts';
import { writing } from './steps/writing.ts';

/**
 * The steps for which the simulation distinguishes the versions: whether the availability check
 * verifies certificates, and /version.
 */
export const perVersion: readonly Step[] = [...certificates, ...changes, ...paths];

/**
 * The steps that run on kube-apiserver and on its simulation: working and broken registrations, and
 * the other requests of apisvc, kubectl and extension API servers.
 */
export const scenario: readonly Step[] = [
  ...perVersion,
  ...services,
  ...replies,
  ...refused,
  ...proxying,
  ...projects,
  ...applying,
  ...writing,
  ...patching,
  ...deleting,
  ...reading,
  ...watching,
  ...forms,
  ...identity,
  ...reviews,
  ...kubelet,
];
