import type { CertificateExpiry } from '../diagnosis/certificate-expiry.ts';
import type { ApiDiagnosis, Diagnosis } from '../diagnosis/types.ts';
import { printable } from '../pki/printable.ts';

/** What a monitor knows of one cluster. */
export interface Monitored {
  readonly context: string;
  /** The last run that succeeded. */
  readonly last?: {
    readonly diagnosis: Diagnosis;
    /** By the name of the APIService. */
    readonly certificates: ReadonlyMap<string, readonly CertificateExpiry[]>;
    /** The APIServices with a rotation of their certificate in progress. */
    readonly rotating: ReadonlySet<string>;
  };
  /** Why the last run failed. Absent when it succeeded. */
  readonly error?: string;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge of the state of a cluster. Every sample also has the label `context`. */
export interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (cluster: Monitored) => readonly Sample[];
}

const states = ['healthy', 'broken', 'unknown'] as const;

/**
 * One sample of each APIService with a Service. A cluster has a Local one for each custom resource.
 */
const ofEachApi =
  (samples: (api: ApiDiagnosis, cluster: Monitored) => readonly Sample[]): GaugeDefinition['samples'] =>
  (cluster) =>
    (cluster.last?.diagnosis.apis ?? []).flatMap((api) =>
      api.overview.service === undefined && api.verdict === 'healthy' ? [] : samples(api, cluster),
    );

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

/**
 * The gauges. After a run that failed, the state of its APIs is unknown, and nothing else about
 * them is repeated: an alert would claim what nobody checked. Certificates expire anyway.
 */
export const gauges: readonly GaugeDefinition[] = [
  {
    name: 'apisvc_last_run_success',
    help: 'Whether the last run for the cluster succeeded.',
    labels: [],
    samples: ({ last, error }) => (last || error !== undefined ? [{ labels: {}, value: error === undefined ? 1 : 0 }] : []),
  },
  {
    name: 'apisvc_last_run_timestamp_seconds',
    help: 'Start time of the last run for the cluster that succeeded, in seconds since the epoch.',
    labels: [],
    samples: ({ last }) => (last ? [{ labels: {}, value: seconds(last.diagnosis.takenAt) }] : []),
  },
  {
    name: 'apisvc_apiservice_state',
    help: 'The verdict of the diagnosis: 1 for the current state, 0 for the others.',
    labels: ['apiservice', 'state'],
    samples: ofEachApi(({ name, verdict }, { error }) =>
      states.map((state) => ({
        labels: { apiservice: name, state },
        value: state === (error === undefined ? verdict : 'unknown') ? 1 : 0,
      })),
    ),
  },
  {
    name: 'apisvc_apiservice_available',
    help: 'Whether kube-apiserver reports the condition Available of the APIService as True.',
    labels: ['apiservice'],
    samples: ofEachApi(({ name, overview: { available } }, { error }) =>
      available === undefined || error !== undefined ? [] : [{ labels: { apiservice: name }, value: available === 'True' ? 1 : 0 }],
    ),
  },
  {
    name: 'apisvc_finding',
    help: 'A finding of the diagnosis. The value is always 1.',
    labels: ['apiservice', 'code', 'severity'],
    samples: ofEachApi(({ name, findings }, { error }) =>
      error === undefined ? findings.map(({ code, severity }) => ({ labels: { apiservice: name, code, severity }, value: 1 })) : [],
    ),
  },
  {
    name: 'apisvc_checks_not_run',
    help: 'How many checks did not run, for example because a permission is missing.',
    labels: ['apiservice'],
    samples: ofEachApi(({ name, notChecked }, { error }) =>
      error === undefined ? [{ labels: { apiservice: name }, value: notChecked.length }] : [],
    ),
  },
  {
    name: 'apisvc_certificate_expiry_timestamp_seconds',
    help: 'When a certificate expires, in seconds since the epoch.',
    labels: ['apiservice', 'place', 'name'],
    samples: ofEachApi(({ name: apiservice }, { last }) =>
      (last?.certificates.get(apiservice) ?? []).map(({ place, name, notAfter }) => ({
        labels: { apiservice, place, name: printable(name) },
        value: seconds(notAfter),
      })),
    ),
  },
  {
    name: 'apisvc_rotation_in_progress',
    help: 'Whether a rotation of the serving certificate has begun and is not complete.',
    labels: ['apiservice'],
    samples: ofEachApi(({ name }, { last, error }) =>
      error === undefined ? [{ labels: { apiservice: name }, value: last?.rotating.has(name) ? 1 : 0 }] : [],
    ),
  },
];

/** What is counted while the monitor runs, each with the label `context`. */
export const counters = {
  runs: { name: 'apisvc_runs_total', help: 'Runs for the cluster.' },
  failures: { name: 'apisvc_run_failures_total', help: 'Runs for the cluster that failed.' },
  requests: { name: 'apisvc_kube_apiserver_requests_total', help: 'Requests to kube-apiserver, including watches and port-forwards.' },
} as const;

export const runDuration = {
  name: 'apisvc_run_duration_seconds',
  help: 'Duration of a run for the cluster.',
  buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
} as const;

export const buildInfo = { name: 'apisvc_build_info', help: 'The version of apisvc. The value is always 1.' } as const;
