import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { dieWithParent } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { emptyFolder, kubectlOk } from './projects.ts';
import { cluster } from './provided.ts';

export interface LoadOptions {
  /** Path. The default is the administrator's kubeconfig. */
  readonly kubeconfig?: string;
  /** The default is the current context. */
  readonly context?: string;
  /** The collection, for example /apis/wardle.example.com/v1alpha1/namespaces/default/flunders. */
  readonly path: string;
  /** Name of an existing object in the collection. */
  readonly object: string;
  /** Requests per second. */
  readonly rate?: number;
  /** Whether to keep a watch open. Some servers, such as metrics-server, do not serve WATCH. */
  readonly watch?: boolean;
}

/** Equal texts: how often, and when (RFC 3339). */
export interface Occurrences {
  readonly text: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** What components/load prints. */
export interface LoadReport {
  readonly rate: number;
  readonly seconds: number;
  readonly requests: number;
  /** Requests that waited for Retry-After at the end. They count nowhere else but in `retried`. */
  readonly unfinished: number;
  readonly failures: number;
  /** How many of the failures happened on connections of their own. */
  readonly freshFailures: number;
  /** The failures, by status code and message or by transport error. */
  readonly byText: readonly Occurrences[];
  /** Responses 429 and 5xx with Retry-After, after which the request was sent again. */
  readonly retried: readonly Occurrences[];
  /** How long a request started after it was due, at most. */
  readonly latestStartMs: number;
  readonly latencyMs: { readonly median: number; readonly p99: number; readonly max: number };
  readonly watch?: {
    /** 1 for a watch that survived. */
    readonly opened: number;
    readonly longestGapMs: number;
    readonly closed: readonly Occurrences[];
    readonly events: number;
  };
}

export interface Load {
  /**
   * Ends the load.
   * @throws Error if fewer requests were sent than the rate demands
   */
  stop(): Promise<LoadReport>;
}

/**
 * Sends requests to an API through kube-apiserver at a fixed rate until `stop` is called: half of
 * them on connections of their own, GET and LIST, and one watch. Resolves when the load runs.
 * @throws Error if the API does not work before the load
 */
export async function startLoad({ kubeconfig, context, path, object, rate = 100, watch = true }: LoadOptions): Promise<Load> {
  const file = await writeJsonKubeconfig(kubeconfig ?? cluster.kubeconfig, context);
  const flags = [`--kubeconfig=${file}`, `--path=${path}`, `--object=${object}`, `--rate=${rate}`, `--watch=${watch}`];
  const [command = '', ...args] = [...dieWithParent(), program(cluster.programs, 'load'), ...flags];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = text(child.stdout);
  await untilStarted(child);
  return {
    stop: async () => {
      child.kill('SIGTERM');
      return complete(JSON.parse(await output));
    },
  };
}

/** The generator reads JSON, because the Go library has no YAML. */
async function writeJsonKubeconfig(kubeconfig: string, context: string | undefined): Promise<string> {
  const view = ['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json', `--kubeconfig=${kubeconfig}`];
  const file = join(emptyFolder(), 'kubeconfig.json');
  writeFileSync(file, await kubectlOk(context === undefined ? view : [...view, `--context=${context}`]), { mode: 0o600 });
  return file;
}

async function untilStarted(child: ChildProcess): Promise<void> {
  let errors = '';
  const started = new Promise<void>((resolve) =>
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
      if (errors.includes('started\n')) resolve();
    }),
  );
  const ended = once(child, 'close').then(() => {
    throw new Error(`the load did not start: ${errors}`);
  });
  await Promise.race([started, ended]);
}

/** A generator that sent too few requests proves nothing. */
function complete(report: LoadReport): LoadReport {
  const due = report.rate * report.seconds;
  if (Math.abs(report.requests + report.unfinished - due) <= Math.max(2, due / 100)) return report;
  throw new Error(`the load sent ${report.requests} requests instead of ${Math.round(due)}`);
}
