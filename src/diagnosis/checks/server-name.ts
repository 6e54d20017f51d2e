import type { Handshake } from '../../cluster/handshake.ts';
import { type Check, observation } from './check.ts';

/** Servers that choose their certificate by the server name (SNI), and refuse other handshakes. */
export const checkServerName: Check = ({ snapshot, probes, host = '', api }) => {
  const { nameless } = snapshot;
  const named = probes.find(({ at }) => at === nameless?.at);
  if (!nameless || !named) return [];
  const served = (handshake: Handshake): boolean => handshake.kind === 'served';
  const evidence = [
    `TLS handshake with the server name ${host}: ${describe(named.handshake)}`,
    `TLS handshake without a server name: ${describe(nameless.handshake)}`,
  ];
  const found = (code: 'endpoints/server-name-required' | 'endpoints/server-name-refused') => [
    { ...observation(code, evidence, { endpoints: nameless.at }), at: [nameless.at] },
  ];
  if (!served(named.handshake))
    return served(nameless.handshake) && named.evidence !== 'unknown' ? found('endpoints/server-name-refused') : [];
  return isRefused(nameless.handshake) && api.available?.status === 'False' ? found('endpoints/server-name-required') : [];
};

const isRefused = (handshake: Handshake): boolean =>
  handshake.kind === 'failed' && (handshake.fault === 'reset' || handshake.fault === 'other');

const describe = (handshake: Handshake): string => (handshake.kind === 'served' ? 'succeeds' : `fails: ${handshake.words}`);
