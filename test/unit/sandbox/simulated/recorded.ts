import { readFileSync } from 'node:fs';
import { kindOf } from '../../../../src/sandbox/simulated/kinds.ts';
import type { Kind, Obj } from '../../../../src/sandbox/simulated/types.ts';

/** A write to a real kube-apiserver, and its answer (test/fixtures/apply/record.mjs). */
export interface Step {
  readonly do: 'apply' | 'merge' | 'json' | 'update' | 'create';
  readonly as: string;
  readonly force?: boolean;
  readonly subresource?: string;
  readonly at: string;
  readonly body: Obj;
  readonly live: Obj;
  readonly object?: Obj;
  readonly failure?: Obj;
}

/** The writes to one object, in order, each with the live object before it. */
export interface Recorded {
  readonly name: string;
  readonly kind: Kind;
  readonly steps: readonly Step[];
}

const folder = new URL('../../../fixtures/apply/', import.meta.url);

function stepsOf(written: readonly Obj[]): Step[] {
  let last: Obj;
  return written.map((step) => {
    const live = 'live' in step ? step.live : last;
    last = step.object ?? live;
    return { ...step, live };
  });
}

/** @param file - of test/fixtures/apply, without `.json` */
export function recorded(file: string): Recorded[] {
  const { objects } = JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8'));
  return objects.map((written: readonly Obj[], index: number) => {
    const { apiVersion, kind } = written[0].body;
    const known = kindOf(apiVersion.includes('/') ? apiVersion.split('/')[0] : '', kind);
    if (!known) throw new Error(`${kind} is no kind of the simulation`);
    return { name: `${kind} ${index}`, kind: known, steps: stepsOf(written) };
  });
}
