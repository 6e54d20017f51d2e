import type { ChalkInstance } from 'chalk';
import { wrapped } from './wrapped.ts';

/** What `explain` knows beside the codes of findings. */
interface Topic {
  readonly title: string;
  /** The whole in one breath, for where the question comes up. */
  readonly short: string;
  readonly sections: readonly { readonly heading: string; readonly points: readonly string[] }[];
  readonly link: string;
}

export const topics = {
  'crd-or-apiservice': {
    title: 'CRD or APIService: which way to add an API to Kubernetes',
    short:
      'A CRD serves better for ordinary application objects and for what an operator acts on: no server to run, no certificates. The aggregation layer is right for data that lives elsewhere, storage of your own, subresources and protocols that a CRD lacks, and views that differ by tenant.',
    sections: [
      {
        heading: 'Take a CRD (CustomResourceDefinition), which needs no server and nothing of apisvc, for',
        points: [
          'ordinary application objects: people write them with kubectl, and etcd of the cluster can hold them',
          'operator patterns: a controller watches the objects and makes the world like them',
          'what a CRD itself can do: a schema with CEL rules, defaults, several versions with a conversion webhook, the subresources status and scale',
        ],
      },
      {
        heading: 'Take the aggregation layer (an APIService and a server of your own) for',
        points: [
          'foreign data sources: what is served is measured, computed or kept by another system, as the metrics of nodes and pods are',
          'storage of your own: a database, a history, or more and faster changing data than etcd of the cluster should hold',
          'subresources and protocols of your own: logs, exec, proxies, bodies that are no Kubernetes objects, validation that no schema can express',
          'multi-tenant views: each user gets the list that this user may see, and not all or nothing',
        ],
      },
      {
        heading: 'What the aggregation layer costs',
        points: [
          'a server that must always answer: while it does not, its API is gone, and namespaces can not be deleted, for which every API has to be known',
          'certificates that kube-apiserver verifies, and their renewal',
          'authentication, authorization, storage, watches and upgrades are the work of the server; k8s.io/apiserver brings most of it, in Go',
        ],
      },
      {
        heading: 'If you are in doubt',
        points: [
          'begin with a CRD: clients do not see the difference, and a server that has been given the objects can take over the group later',
        ],
      },
    ],
    link: 'https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/',
  },
} as const satisfies Readonly<Record<string, Topic>>;

export type TopicName = keyof typeof topics;

export const topicNames = Object.keys(topics) as TopicName[];

/** A line for each topic, beneath the list of codes. */
export const topicList = ({ bold }: ChalkInstance): string =>
  `\nTopics:\n${topicNames.map((name) => `${bold(name)}  ${topics[name].title}\n`).join('')}`;

/** Everything about a topic. `columns` is how wide a line may be. */
export function topicText(name: TopicName, { bold, dim }: ChalkInstance, columns: number): string {
  const { title, sections, link }: Topic = topics[name];
  const point = (text: string): string => `  - ${wrapped(text, columns - 4).replaceAll('\n', '\n    ')}\n`;
  return [
    `${bold(wrapped(title, columns))}\n`,
    ...sections.map(({ heading, points }) => `\n${bold(wrapped(`${heading}:`, columns))}\n${points.map(point).join('')}`),
    `\n${dim('see:')} ${link}\n`,
  ].join('');
}

/** The short words about a topic, and where the others are. */
export const topicShort = (name: TopicName, columns: number): string =>
  `${wrapped(topics[name].short, columns)}\nMore: apisvc explain ${name}`;
