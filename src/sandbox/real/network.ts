import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { UsageError } from '../../errors.ts';
import { isInstalled, output } from '../shared/command.ts';
import { isOrphan, ownPrefix } from '../shared/owner.ts';

/**
 * A network namespace with one cable to the host. Processes inside listen on `address`, which the host reaches; nothing leaves
 * the machine, for there is no route to anywhere else. An address that is not loopback is needed because an EndpointSlice may
 * not name loopback ones (k8s.io/kubernetes/pkg/apis/core/validation, ValidateNonSpecialIP).
 */
export interface Network {
  /** Name of the namespace, as `ip netns` lists it. */
  readonly name: string;
  /** The inside end of the cable, e.g. 10.88.1.2. */
  readonly address: string;
  /** The host's end, e.g. 10.88.1.1: where processes inside reach what listens on this machine. */
  readonly hostAddress: string;
}

const folder = '/run/netns';

/**
 * The words to put before a command so that it runs inside. Not `ip netns exec`: that mounts a new /sys, which hides the
 * control groups that a container runtime needs.
 */
export const enter = ({ name }: Pick<Network, 'name'>): string[] => ['nsenter', `--net=${folder}/${name}`];

/**
 * Makes a network namespace. Several can exist side by side.
 * @throws UsageError when this machine or this user can't make one
 */
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
 * Ends every process inside and removes the namespace with its cable. Does nothing when it is gone already.
 * @throws UsageError when it is still there afterwards
 */
export async function removeNetwork({ name }: Pick<Network, 'name'>): Promise<void> {
  if (!(await namespaces()).includes(name)) return;
  const steps = await Promise.allSettled([endProcesses(name), output('ip', '-n', name, 'link', 'del', 'eth0')]);
  steps.push(...(await Promise.allSettled([output('ip', 'netns', 'del', name)])));
  // A step may fail where there is nothing to do: a start that was cut short, or another run that cleans up the same remains.
  if (!(await namespaces()).includes(name)) return;
  const reasons = steps.flatMap((step) => (step.status === 'rejected' ? [stderrOf(step.reason)] : []));
  throw new UsageError(`network namespace ${name} can't be removed: ${reasons.join(' ')}`, { fix: `ip netns del ${name}` });
}

async function endProcesses(name: string): Promise<void> {
  for (const pid of (await output('ip', 'netns', 'pids', name)).split('\n').filter(Boolean)) kill(Number(pid));
}

/** Removes the namespaces that killed runs left, with every process inside. */
export async function removeOrphanedNetworks(): Promise<void> {
  for (const name of (await namespaces()).filter(isOrphan)) await removeNetwork({ name });
}

/** Takes the first free 10.88.N.0/24. The kernel allows each device name once, so two runs never take the same N. */
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
  throw new UsageError('no free network from 10.88.1.0/24 to 10.88.254.0/24', { fix: 'Remove some: ip link show type veth' });
}

/** @throws UsageError when this host or this user cannot create network namespaces */
export function requireNamespaces(): void {
  if (process.platform !== 'linux') throw new UsageError('a control plane needs Linux: it runs in a network namespace');
  const missing = ['ip', 'nsenter'].filter((program) => !isInstalled(program));
  if (missing.length > 0) {
    throw new UsageError(`a control plane needs network namespaces: ${missing.join(' and ')} not found`, {
      fix: 'apt-get install iproute2 util-linux',
    });
  }
  if (!hasCapabilities(readFileSync('/proc/self/status', 'utf8'))) {
    throw new UsageError('a control plane needs network namespaces, and this process lacks CAP_SYS_ADMIN or CAP_NET_ADMIN', {
      fix: 'Run it as root. In a container, add both capabilities.',
    });
  }
}

/** Bits of a capability set (capabilities(7), linux/capability.h). */
const capNetAdmin = 1n << 12n;
const capSysAdmin = 1n << 21n;

/**
 * Whether a process may create and connect network namespaces. Root in a container often lacks the
 * capabilities.
 * @param status the text of /proc/self/status (proc_pid_status(5))
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
