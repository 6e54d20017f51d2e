import type { ChalkInstance } from 'chalk';
import { wrap } from './wrap.ts';

/** A subject that `explain` knows besides the codes of findings. */
interface Topic {
  readonly title: string;
  /** A summary for a prompt. */
  readonly short: string;
  readonly sections: readonly { readonly heading: string; readonly points: readonly string[] }[];
  readonly link: string;
}

export const topics = {
  'crd-or-apiservice': {
    title: 'CRD or APIService: two ways to add an API to Kubernetes',
    short:
      'A CRD is better for ordinary application objects and for operators: it needs no server and no certificates. Use the aggregation layer for data from other systems, your own storage, subresources and protocols that a CRD lacks, or views that differ by tenant.',
    sections: [
      {
        heading: 'Use a CRD (CustomResourceDefinition), which needs neither a server nor apisvc, for',
        points: [
          'ordinary application objects: users write them with kubectl, and the etcd of the cluster stores them',
          'operator patterns: a controller watches the objects and acts on them',
          'features that CRDs have: a schema with CEL rules, defaults, several versions with a conversion webhook, the status and scale subresources',
        ],
      },
      {
        heading: 'Use the aggregation layer (an APIService and your own server) for',
        points: [
          'data that another system measures, computes or stores, for example the metrics of nodes and pods',
          'your own storage: a database, a history, or data too large or too volatile for the etcd of the cluster',
          'your own subresources and protocols: logs, exec, proxies, bodies that are not Kubernetes objects, validation that a schema cannot express',
          'multi-tenant views: each user sees a filtered list instead of all objects or none',
        ],
      },
      {
        heading: 'The aggregation layer requires',
        points: [
          'a highly available server. While the server is down, its API is unavailable, and no namespace can be deleted, because namespace deletion lists the objects of every API',
          'certificates that kube-apiserver verifies, and their rotation',
          'your own implementation of authentication, authorization, storage, watches and upgrades; the Go library k8s.io/apiserver provides most of this',
        ],
      },
      {
        heading: 'If in doubt',
        points: ['start with a CRD. Clients see no difference, and your own server can serve the group later if you migrate the objects'],
      },
    ],
    link: 'https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/',
  },
} as const satisfies Readonly<Record<string, Topic>>;

export type TopicName = keyof typeof topics;

export const topicNames = Object.keys(topics) as TopicName[];

/** One line for each topic, below the list of codes. */
export const topicList = ({ bold }: ChalkInstance): string =>
  `\nTopics:\n${topicNames.map((name) => `${bold(name)}  ${topics[name].title}\n`).join('')}`;

/** The whole text of a topic, wrapped at `columns`. */
export function topicText(name: TopicName, { bold, dim }: ChalkInstance, columns: number): string {
  const { title, sections, link }: Topic = topics[name];
  const point = (text: string): string => `  - ${wrap(text, columns - 4).replaceAll('\n', '\n    ')}\n`;
  return [
    `${bold(wrap(title, columns))}\n`,
    ...sections.map(({ heading, points }) => `\n${bold(wrap(`${heading}:`, columns))}\n${points.map(point).join('')}`),
    `\n${dim('see:')} ${link}\n`,
  ].join('');
}

/** The summary of a topic, and the command that shows the rest. */
export const topicShort = (name: TopicName, columns: number): string =>
  `${wrap(topics[name].short, columns)}\nMore: apisvc explain ${name}`;
