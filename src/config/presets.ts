import custom from '../../templates/presets/custom.yaml';
import demo from '../../templates/presets/demo.yaml';
import dnsWebhook from '../../templates/presets/dns-webhook.yaml';
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
  /** Set where `init` asks for the API and the image, and names the server after the directory. */
  readonly own?: OwnServer;
}

/** What is known about a server of the user's own. */
export interface OwnServer {
  /** The default namespace. Without it, the namespace has the name of the server. */
  readonly namespace?: string;
  /** What to know about the group and version of the API, in place of the general advice. */
  readonly api?: string;
}

/** Every preset, in the order of the prompt. The flag, its help and completion follow from it. */
const presets = {
  custom: { description: 'Your own API server', text: custom, own: {} },
  'sample-apiserver': { description: 'The Kubernetes sample API server, with an etcd container', text: sampleApiserver },
  'metrics-server': { description: 'A new metrics-server in kube-system, with verified TLS', text: metricsServer },
  'metrics-server-existing': {
    description: 'An installed metrics-server: keeps its Deployment, and adds verified TLS',
    text: metricsServerExisting,
  },
  'prometheus-adapter': {
    description: 'prometheus-adapter in the namespace monitoring, with verified TLS',
    text: prometheusAdapter,
  },
  keda: { description: 'The KEDA metrics adapter, in the namespace of the KEDA operator', text: keda },
  'dns-webhook': {
    description: 'A DNS01 webhook for cert-manager: your own, or that of a DNS provider',
    text: dnsWebhook,
    own: {
      namespace: 'cert-manager',
      api: 'Issuers refer to this group in groupName. Choose a group in a domain you own, and the version v1alpha1, which cert-manager requests.',
    },
  },
  demo: { description: 'The demo server that is built into apisvc sandbox', text: demo },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

export const presetDescription = (name: PresetName): string => presets[name].description;

/** What is known about the user's own server; undefined for presets of other servers. */
export const ownServer = (name: PresetName): OwnServer | undefined => (presets[name] as Preset).own;

/**
 * The apisvc.yaml of a preset. Where the server is the user's own, it has no image and group:
 * `customise` must fill them in before it is valid.
 */
export const presetText = (name: PresetName): string => presets[name].text;
