import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../../errors.ts';
import { isInstalled, output } from '../shared/command.ts';
import { isOrphan, ownPrefix } from '../shared/owner.ts';

/**
 * A network namespace with a veth pair to the host, and no other route. Processes inside listen on
 * `address`. EndpointSlices may not name loopback
 * (k8s.io/kubernetes/pkg/apis/core/validation, ValidateNonSpecialIP).
 */
export interface Network {
  /** Name of the namespace, as `ip netns` lists it. */
  readonly name: string;
  /** The address inside, e.g. 10.88.1.2. */
  readonly address: string;
  /** The address of the host for processes inside, e.g. 10.88.1.1. */
  readonly hostAddress: string;
}

const folder = '/run/netns';

/** Far longer than a killed process takes to end. */
const endMs = 5_000;

/**
 * The command prefix that enters the namespace. `ip netns exec` would mount a new /sys, which hides
 * the control groups that a container runtime needs.
 */
export const enter = ({ name }: Pick<Network, 'name'>): string[] => ['nsenter', `--net=${folder}/${name}`];

/** Creates a network namespace. @throws UsageError when this host or this user cannot */
export async function createNetwork(): Promise<Network> {
  requireNamespaces();
  const name = ownPrefix() + randomBytes(3).toString('hex');
  await output('ip', 'netns', 'add', name);
  try {
    return await connect(name);
  } catch (error) {
    await removeNetwork({ name });
    throw error;
  }
}

/**
 * Ends every process inside and removes the namespace, if it exists.
 * @throws UsageError when it still exists afterwards
 */
export async function removeNetwork({ name }: Pick<Network, 'name'>): Promise<void> {
  if (!(await namespaces()).includes(name)) return;
  const steps = await Promise.allSettled([endProcesses(name), output('ip', '-n', name, 'link', 'del', 'eth0')]);
  steps.push(...(await Promise.allSettled([output('ip', 'netns', 'del', name)])));
  // A step fails when it has nothing to do: after an incomplete start, or next to another cleanup.
  if (!(await namespaces()).includes(name)) return;
  const reasons = steps.flatMap((step) => (step.status === 'rejected' ? [stderrOf(step.reason)] : []));
  throw new UsageError(`cannot remove network namespace ${name}: ${reasons.join(' ')}`, { fix: `ip netns del ${name}` });
}

/** Also waits until they have ended, which takes a large one a moment. */
async function endProcesses(name: string): Promise<void> {
  for (const untilMs = performance.now() + endMs; performance.now() < untilMs; await pause(20)) {
    const pids = (await output('ip', 'netns', 'pids', name)).split('\n').filter(Boolean);
    if (pids.length === 0) return;
    for (const pid of pids) kill(Number(pid));
  }
}

/** Removes the namespaces of runs that were killed, with every process inside. */
export async function removeOrphanedNetworks(): Promise<void> {
  for (const name of (await namespaces()).filter(isOrphan)) await removeNetwork({ name });
}

/** Uses the first free 10.88.N.0/24. Device names are unique, so two runs never use the same N. */
async function connect(name: string): Promise<Network> {
  const taken = new Set(Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address)));
  for (let n = 1; n < 255; n++) {
    const [device, hostAddress, address] = [`apisvc${n}`, `10.88.${n}.1`, `10.88.${n}.2`];
    if (taken.has(hostAddress)) continue;
    try {
      await output('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    } catch (error) {
      if (/File exists/.test(stderrOf(error))) continue;
      throw error;
    }
    await output('ip', 'addr', 'add', `${hostAddress}/24`, 'dev', device);
    await output('ip', 'link', 'set', device, 'up');
    await output('ip', '-n', name, 'link', 'set', 'lo', 'up');
    await output('ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await output('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    return { name, address, hostAddress };
  }
  throw new UsageError('all networks from 10.88.1.0/24 to 10.88.254.0/24 are in use', {
    fix: 'List the network devices with ip link show type veth, and delete those that you do not need.',
  });
}

/** @throws UsageError when this host or this user cannot create network namespaces */
export function requireNamespaces(): void {
  const fault = namespaceFault();
  if (fault) throw fault;
}

/** Why this host or this user cannot create network namespaces. */
export function namespaceFault(): UsageError | undefined {
  const failed = 'cannot create network namespaces';
  if (process.platform !== 'linux') return new UsageError(`${failed}: this host does not run Linux`);
  const missing = ['ip', 'nsenter'].filter((program) => !isInstalled(program));
  if (missing.length > 0)
    return new UsageError(`${failed}: ${missing.join(' and ')} not found`, { fix: 'Install iproute2 and util-linux.' });
  if (hasCapabilities(readFileSync('/proc/self/status', 'utf8'))) return undefined;
  return new UsageError(`${failed}: this process lacks CAP_SYS_ADMIN or CAP_NET_ADMIN`, {
    fix: 'Run as root. In a container, add both capabilities.',
  });
}

/** Bits of a capability set (capabilities(7), linux/capability.h). */
const capNetAdmin = 1n << 12n;
const capSysAdmin = 1n << 21n;

/**
 * Root in a container often lacks these capabilities.
 * @param status the content of /proc/self/status (proc_pid_status(5))
 */
export function hasCapabilities(status: string): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  const needed = capNetAdmin | capSysAdmin;
  return (BigInt(`0x${effective}`) & needed) === needed;
}

const namespaces = (): Promise<string[]> => readdir(folder).catch(() => []);

const stderrOf = (error: unknown): string => ((error as { stderr?: string }).stderr ?? String(error)).trim();

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
