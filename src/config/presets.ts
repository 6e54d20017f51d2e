import custom from '../../templates/presets/custom.yaml';
import demo from '../../templates/presets/demo.yaml';
import keda from '../../templates/presets/keda.yaml';
import metricsServer from '../../templates/presets/metrics-server.yaml';
import metricsServerExisting from '../../templates/presets/metrics-server-existing.yaml';
import prometheusAdapter from '../../templates/presets/prometheus-adapter.yaml';
import sampleApiserver from '../../templates/presets/sample-apiserver.yaml';

interface Preset {
  /** One line for the prompt of `init`. */
  readonly description: string;
  /** The apisvc.yaml. */
  readonly text: string;
}

/** Every preset, in the order of the prompt. The flag, its help and completion follow from it. */
const presets = {
  custom: { description: 'Your own API server', text: custom },
  'sample-apiserver': { description: 'The sample API server of Kubernetes, with an etcd container', text: sampleApiserver },
  'metrics-server': { description: 'A new metrics-server in kube-system, with verified TLS', text: metricsServer },
  'metrics-server-existing': {
    description: 'An installed metrics-server, which keeps its Deployment and gets verified TLS',
    text: metricsServerExisting,
  },
  'prometheus-adapter': {
    description: 'prometheus-adapter in the namespace monitoring, with verified TLS',
    text: prometheusAdapter,
  },
  keda: { description: 'The metrics adapter of KEDA, in the namespace of the KEDA operator', text: keda },
  demo: { description: 'The demo server that is built into apisvc sandbox', text: demo },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

export const presetDescription = (name: PresetName): string => presets[name].description;

/**
 * The apisvc.yaml of a preset. `custom` has no image, group and version: `customise` must fill them
 * in before it is valid.
 */
export const presetText = (name: PresetName): string => presets[name].text;
