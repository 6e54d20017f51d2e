import { setTimeout as sleep } from 'node:timers/promises';
import { listContexts } from '../cluster/kubeconfig.ts';
import type { ClusterResult, Diagnosis, DiagnosisList } from '../diagnosis/types.ts';
import { worstOf } from '../diagnosis/verdict.ts';
import { ApisvcError, Exit, InterruptedError, UsageError } from '../errors.ts';
import { printable } from '../pki/printable.ts';

/** The contexts that `--context` selects. */
export interface Contexts {
  readonly names: readonly string[];
  /** Whether a pattern selected them. Then one that cannot be used does not stop the others. */
  readonly byPattern: boolean;
}

/**
 * Expands the patterns among the values of `--context`: `*` stands for any characters, `?` for one.
 * A context with exactly that name is meant itself.
 * @throws UsageError for a pattern that matches no context
 */
export function selectContexts(given: readonly string[], kubeconfig: string | undefined, env: NodeJS.ProcessEnv): Contexts {
  if (!given.some(isPattern)) return { names: [...new Set(given)], byPattern: false };
  const known = listContexts({ kubeconfig }, env).map(({ name }) => name);
  const names = given.flatMap((each) => {
    if (!isPattern(each) || known.includes(each)) return [each];
    const matching = known.filter((name) => patternOf(each).test(name));
    if (matching.length > 0) return matching;
    const fix = known.length > 0 ? `Choose from the contexts ${known.join(', ')}.` : 'Set --kubeconfig or KUBECONFIG to a kubeconfig file.';
    throw new UsageError(`no context in the kubeconfig matches "${printable(each)}"`, { fix });
  });
  return { names: [...new Set(names)], byPattern: true };
}

const isPattern = (name: string): boolean => /[*?]/.test(name);

function patternOf(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

/** How many contexts are verified at a time. */
const atOnce = 8;

/** How long the next context waits for one that does not end. One that hangs needs no CPU. */
const defaultPatienceMs = 5_000;

export interface ContextChecks {
  /** @throws ApisvcError where the context cannot be checked */
  readonly check: (context: string) => Promise<Diagnosis>;
  /** The error for a context without a selected APIService. */
  readonly nothingFound: (context: string) => UsageError;
  /** Gets each result as soon as it is known, one after the other. */
  readonly onResult?: (result: ClusterResult) => Promise<void>;
  /** How long the next context waits for one that does not end. */
  readonly patienceMs?: number;
}

/**
 * Checks several contexts. One that fails, hangs or has no selected APIService does not stop the
 * others.
 * @throws UsageError, before any result, if the command is wrong for every context; for contexts
 * that were named, also for one that cannot be used
 */
export async function checkContexts({ names, byPattern }: Contexts, checks: ContextChecks): Promise<DiagnosisList> {
  const unusable = new Map<string, UsageError>();
  const held: ClusterResult[] = [];
  let usable = false;
  let reported = Promise.resolve();
  const { patienceMs = defaultPatienceMs } = checks;
  const clusters = await pooled(names, patienceMs, async (context): Promise<ClusterResult> => {
    const found = await checkOne(context, checks, byPattern);
    if (found instanceof UsageError) unusable.set(context, found);
    else usable = true;
    const result =
      found instanceof ApisvcError ? { context, error: found.message, exitCode: codeOf(found) } : { context, diagnosis: found };
    held.push(result);
    // Until one is usable, the command may still fail without a report.
    if (usable) for (const each of held.splice(0)) reported = reported.then(() => checks.onResult?.(each));
    await reported;
    return result;
  });
  const [wrong] = names.flatMap((name) => unusable.get(name) ?? []);
  if (wrong && !usable) throw wrong;
  const verdict = worstOf(clusters.map(({ diagnosis }) => diagnosis?.verdict ?? 'unknown'));
  return { apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1', verdict, clusters };
}

/** @returns the diagnosis, or the error that is a result of its own */
async function checkOne(context: string, { check, nothingFound }: ContextChecks, byPattern: boolean): Promise<Diagnosis | ApisvcError> {
  try {
    const diagnosis = await check(context);
    return diagnosis.apis.length > 0 ? diagnosis : nothingFound(context);
  } catch (error) {
    if (!(error instanceof ApisvcError) || error instanceof InterruptedError || (error instanceof UsageError && !byPattern)) throw error;
    return error;
  }
}

/** A deadline has a code of its own. Every other error makes the cluster unreachable. */
const codeOf = ({ exitCode }: ApisvcError): number => (exitCode === Exit.deadline ? Exit.deadline : Exit.unreachable);

/** Works on some items at a time. One that takes long makes room for the next. */
async function pooled<Result>(items: readonly string[], patienceMs: number, work: (item: string) => Promise<Result>): Promise<Result[]> {
  const started: Promise<Result>[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      const ended = new AbortController();
      const one = work(item).finally(() => ended.abort());
      started[index] = one;
      await Promise.race([one, sleep(patienceMs, undefined, { signal: ended.signal }).catch(() => {})]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return Promise.all(started);
}
